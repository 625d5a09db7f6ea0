package dev.freshet.job.events;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds out which partitions are read to their ends: not those of which nothing comes, which may be
 * the fault of a slow fetch, of back pressure or of a broker that is away, but those of which the
 * broker itself says that there is nothing.
 *
 * <p>A partition is at rest when the broker has said so again and again over a whole {@code
 * labels.idle-after}, and the position has not moved meanwhile; or of a topic of several kinds, if
 * the reader has passed over all that was there a moment ago. Only time in which the broker answers
 * counts. When it does not answer, nothing is at rest, and everything begins anew: what producers
 * have kept for it meanwhile comes in bursts, and not of all partitions at once.
 *
 * <p>Asks on a thread of its own, so that a silent broker keeps nobody waiting.
 */
final class EndWatch implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(EndWatch.class);
  private static final int ROUNDS = 5;
  private static final long LONGEST_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final long SHORTEST_NANOS = TimeUnit.MILLISECONDS.toNanos(20);
  private static final long NEVER = -1;

  /** State of a partition's silence; of the watch's thread. */
  private static final class Silence {
    private long heard = WatchedPartition.NOWHERE;
    private long lasted = NEVER;
    private long end = Long.MAX_VALUE;
    // Where the last look at what lies between position and end was made.
    private long lookedAt = WatchedPartition.NOWHERE;
    private long lookedUpTo;
    private long seenAt = WatchedPartition.NOWHERE;
    private long unreadAt = WatchedPartition.NOWHERE;
  }

  /** Where a partition was before the broker was asked. */
  private record Place(long heard, long position) {}

  private final Supplier<PartitionEnds> brokers;
  private final long idleAfter;
  private final long period;
  private final LongSupplier nanos;
  private final Runnable news;
  private final Map<String, WatchedPartition> partitions = new ConcurrentHashMap<>();
  private final Map<String, Silence> silences = new HashMap<>();
  private final Thread thread = new Thread(this::run, "freshet-partition-ends");

  /** The connection; null until it is asked for, and where there is none. */
  private @Nullable PartitionEnds ends;

  private boolean away;
  private long lastRound;
  private volatile boolean closed;

  /**
   * @param brokers opens the connection, on the watch's thread
   * @param nanos the clock, as {@link System#nanoTime}
   * @param news called on the watch's thread after a round that the reader should hear of
   */
  EndWatch(Supplier<PartitionEnds> brokers, Duration idleAfter, LongSupplier nanos, Runnable news) {
    this.brokers = brokers;
    this.idleAfter = idleAfter.toNanos();
    this.period = Math.max(SHORTEST_NANOS, Math.min(LONGEST_NANOS, this.idleAfter / ROUNDS));
    this.nanos = nanos;
    this.news = news;
    thread.setDaemon(true);
  }

  void start() {
    thread.start();
  }

  void add(WatchedPartition partition) {
    partitions.put(partition.splitId(), partition);
  }

  void remove(WatchedPartition partition) {
    partitions.remove(partition.splitId());
  }

  private void run() {
    try {
      while (!closed) {
        round();
        TimeUnit.NANOSECONDS.sleep(period);
      }
    } catch (InterruptedException | org.apache.kafka.common.errors.InterruptException e) {
      LOG.debug("The watch over the ends of partitions was told to stop");
    } finally {
      closeEnds();
    }
  }

  /** Asks once. */
  void round() {
    List<WatchedPartition> all = List.copyOf(partitions.values());
    silences.keySet().retainAll(partitions.keySet());
    if (all.isEmpty()) {
      return;
    }
    long now = nanos.getAsLong();
    long sinceLast = Math.min(now - lastRound, 2 * period);
    lastRound = now;
    boolean changed = false;
    try {
      if (ends == null) {
        ends = brokers.get();
      }
      Map<String, Place> places = new HashMap<>();
      // In this order: what is passed over meanwhile is at least not taken for an event.
      all.forEach(p -> places.put(p.splitId(), new Place(p.heard(), p.position())));
      var said = ends.ends(all.stream().map(WatchedPartition::partition).toList());
      for (WatchedPartition partition : all) {
        Place place = requireNonNull(places.get(partition.splitId()));
        changed |= look(partition, place, said.get(partition.partition()), sinceLast);
      }
      if (away) {
        away = false;
        LOG.info("The broker tells the ends of partitions again");
      }
    } catch (org.apache.kafka.common.errors.InterruptException e) {
      throw e;
    } catch (RuntimeException e) {
      // Whatever it is: a watch that ended would let a silent partition hold labels back for ever.
      changed = outage(all, e);
    }
    if (changed) {
      news.run();
    }
  }

  private boolean look(
      WatchedPartition partition, Place place, @Nullable Long end, long sinceLast) {
    Silence silence = silences.computeIfAbsent(partition.splitId(), id -> new Silence());
    long before = silence.end;
    silence.end = end == null ? Long.MAX_VALUE : end;
    if (end == null || !isSilent(silence, partition, place, before, end)) {
      silence.lasted = NEVER;
      partition.rests(WatchedPartition.NOWHERE);
      return false; // The reader will hear of it by what it reads.
    }
    silence.lasted =
        silence.lasted == NEVER || silence.heard != place.heard ? 0 : silence.lasted + sinceLast;
    silence.heard = place.heard;
    if (silence.lasted < idleAfter) {
      return false;
    }
    partition.rests(place.heard);
    return true;
  }

  /**
   * True if nothing was heard while the broker was asked, and nothing can be that was there a round
   * ago.
   */
  private boolean isSilent(
      Silence silence, WatchedPartition partition, Place place, long before, long end) {
    if (partition.heard() != place.heard) {
      return false;
    }
    boolean passesOver = place.heard != place.position && place.position >= before;
    return passesOver
        || partition.position() == place.position
            && nothingBehind(silence, partition.partition(), place.position, end);
  }

  private boolean nothingBehind(Silence silence, TopicPartition partition, long place, long end) {
    if (place >= end || silence.lookedAt == place && silence.lookedUpTo == end) {
      return true;
    }
    // Behind the last message there may be marks of transactions, which nobody reads. That is worth
    // a look once the reader stands still, and one look at a place is enough.
    boolean stands = silence.seenAt == place;
    silence.seenAt = place;
    if (!stands || silence.unreadAt == place) {
      return false;
    }
    if (!requireNonNull(ends).nothingBetween(partition, place, end)) {
      silence.unreadAt = place;
      return false;
    }
    silence.lookedAt = place;
    silence.lookedUpTo = end;
    return true;
  }

  private boolean outage(List<WatchedPartition> all, RuntimeException cause) {
    if (!away) {
      away = true;
      LOG.warn(
          "The broker does not tell the ends of partitions; until it does none is idle", cause);
    }
    silences.clear();
    all.forEach(p -> p.rests(WatchedPartition.NOWHERE));
    return true;
  }

  private void closeEnds() {
    if (ends != null) {
      ends.close();
      ends = null;
    }
  }

  @Override
  public void close() {
    closed = true;
    thread.interrupt();
  }
}
