package dev.freshet.local.run;

import static java.util.Objects.requireNonNull;

import com.dynatrace.hash4j.hashing.Hasher64;
import com.dynatrace.hash4j.hashing.Hashing;
import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.Parsed;
import dev.freshet.core.events.RejectReason;
import dev.freshet.core.events.mapping.MessageReader;
import dev.freshet.core.labels.DropReason;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.SystemTopic;
import dev.freshet.job.events.DeadLetter;
import dev.freshet.job.events.MessageParser;
import dev.freshet.job.events.SourceEvent;
import dev.freshet.replica.CommittedConsumers;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * Which events earlier replays into a data directory have had, read from its own topics: that is
 * true whatever ended a run, and needs no second book. The join has closed their windows and
 * remembers nothing.
 *
 * <p>An impression is learnt if the job's parser accepts it and it was not late. Feedback that was
 * given is done with, unless its impression is one of the new ones: then it was orphaned, and is
 * not any more. What is refused is known by its bytes, so that a corrected line is new.
 */
final class LearntBefore {

  private static final Duration POLL = Duration.ofMillis(500);
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final double MOST_OF_HEAP = 0.6;
  private static final int TOLD_FROM = 100_000;

  /** Fates of a line, the one that wins first where it holds several events. */
  enum Fate {
    /** It is sent. */
    NEW,
    /** It is sent, and counted: nothing waits for it, because its impression is learnt. */
    TOO_LATE,
    /** It is passed over. */
    LEARNT
  }

  private final Pipeline pipeline;
  private final MessageReader reader;
  private final Hasher64 shown = Hashing.xxh3_64(1);
  private final Hasher64 answered = Hashing.xxh3_64(2);
  private final Hasher64 refused = Hashing.xxh3_64(3);
  private final IdCounts given;
  private final IdCounts late = new IdCounts(0);
  private final IdCounts fresh = new IdCounts(0);
  private final boolean nothing;

  private LearntBefore(Pipeline pipeline, long events) {
    this.pipeline = pipeline;
    reader = pipeline.messages();
    given = new IdCounts(events);
    nothing = events == 0;
  }

  /**
   * Reads what the topics hold.
   *
   * @param upTo messages of each partition of the event topics that count
   * @param end true to give up; then the result is of no use
   * @throws RefusedException if there is not memory enough
   * @throws IOException if some of it cannot be read
   */
  static LearntBefore read(
      Pipeline pipeline, Map<TopicPartition, Long> upTo, PrintStream out, BooleanSupplier end)
      throws IOException {
    long events = upTo.values().stream().mapToLong(Long::longValue).sum();
    requireMemory(events, Runtime.getRuntime().maxMemory());
    LearntBefore before = new LearntBefore(pipeline, events);
    if (before.nothing) {
      return before;
    }
    if (events >= TOLD_FROM) {
      out.printf(
          Locale.ROOT,
          "Reading which of %,d events are learnt already, with %,d MB of memory%n",
          events,
          megabytes(events));
    }
    try (KafkaConsumer<byte[], byte[]> consumer = CommittedConsumers.open(pipeline, Map.of())) {
      String letters = pipeline.topic(SystemTopic.DEAD_LETTERS);
      List<TopicPartition> partitions =
          consumer.partitionsFor(letters).stream()
              .map(p -> new TopicPartition(letters, p.partition()))
              .toList();
      consume(consumer, consumer.endOffsets(partitions), before::letter, end);
      MessageParser<Impression> parser = MessageParser.impressions(pipeline);
      String topic = pipeline.topic(SystemTopic.IMPRESSIONS);
      consume(
          consumer,
          upTo,
          message -> {
            if (message.topic().equals(topic)) {
              before.impression(message, parser);
            } else {
              before.feedback(message);
            }
          },
          end);
    }
    return before;
  }

  static void requireMemory(long events, long heap) {
    if (IdCounts.bytes(events) > MOST_OF_HEAP * heap) {
      throw new RefusedException(
          String.format(
              Locale.ROOT,
              "--data-dir: telling which of its %,d events are learnt already needs %,d MB of"
                  + " memory; set FRESHET_HEAP to %dg",
              events,
              megabytes(events),
              (long) Math.ceil(IdCounts.bytes(events) / MOST_OF_HEAP / (1 << 30))));
    }
  }

  private static long megabytes(long events) {
    return (IdCounts.bytes(events) >> 20) + 1;
  }

  private static void consume(
      KafkaConsumer<byte[], byte[]> consumer,
      Map<TopicPartition, Long> upTo,
      Consumer<ConsumerRecord<byte[], byte[]>> action,
      BooleanSupplier end)
      throws IOException {
    List<TopicPartition> left =
        new ArrayList<>(upTo.keySet().stream().filter(p -> end(upTo, p) > 0).toList());
    consumer.assign(left);
    consumer.seekToBeginning(left);
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (!left.isEmpty() && !end.getAsBoolean()) {
      for (ConsumerRecord<byte[], byte[]> message : consumer.poll(POLL)) {
        deadline = System.nanoTime() + PATIENCE.toNanos();
        if (message.offset()
            < end(upTo, new TopicPartition(message.topic(), message.partition()))) {
          action.accept(message);
        }
      }
      List<TopicPartition> done =
          left.stream().filter(p -> consumer.position(p) >= end(upTo, p)).toList();
      consumer.pause(done);
      left.removeAll(done);
      if (System.nanoTime() > deadline) {
        throw new IOException("what was sent earlier cannot be read from " + left);
      }
    }
  }

  private static long end(Map<TopicPartition, Long> upTo, TopicPartition partition) {
    return requireNonNull(upTo.get(partition));
  }

  /** Impressions that were late are told by the join, as many times as they were. */
  private void letter(ConsumerRecord<byte[], byte[]> letter) {
    if (DeadLetters.header(letter, "freshet.reason").equals(DropReason.LATE.label())
        && DeadLetters.header(letter, "freshet.kind").equals(DeadLetters.IMPRESSION)) {
      late.add(shown.hashCharsToLong(new String(letter.key(), StandardCharsets.UTF_8)));
    }
  }

  private void impression(
      ConsumerRecord<byte[], byte[]> message, MessageParser<Impression> parser) {
    parser.deserialize(
        message,
        new Collector<SourceEvent<Impression>>() {
          @Override
          public void collect(SourceEvent<Impression> parsed) {
            DeadLetter refused = parsed.rejected();
            if (parsed.event() != null) {
              given.add(id(parsed.event()));
            } else if (refused != null && !refused.reason().equals(RejectReason.AHEAD.label())) {
              // What was ahead was so beside its neighbours of then.
              given.add(refusedId(message.topic(), message.value()));
            }
          }

          @Override
          public void close() {}
        });
  }

  private void feedback(ConsumerRecord<byte[], byte[]> message) {
    for (Parsed<Feedback> parsed : reader.feedback(message.value(), message.topic())) {
      Feedback event = parsed.event();
      given.add(event == null ? refusedId(message.topic(), message.value()) : id(event));
    }
  }

  /** Of the next line of the new files' impressions: that of what in it is new, if anything is. */
  Fate impression(byte[] line) {
    if (nothing) {
      return Fate.NEW;
    }
    if (given.count(refusedId(pipeline.topic(SystemTopic.IMPRESSIONS), line)) > 0) {
      return Fate.LEARNT;
    }
    boolean learnt = false;
    boolean isNew = false;
    for (Parsed<Impression> parsed : reader.impressions(line)) {
      Impression impression = parsed.event();
      if (impression == null) {
        continue;
      }
      long id = id(impression);
      if (learnt(id)) {
        learnt = true;
      } else {
        fresh.add(id);
        isNew = true;
      }
    }
    return learnt && !isNew ? Fate.LEARNT : Fate.NEW;
  }

  /** As {@link #impression} of feedback, whose impressions were all asked for before. */
  Fate feedback(String topic, byte[] line) {
    if (nothing) {
      return Fate.NEW;
    }
    if (given.count(refusedId(topic, line)) > 0) {
      return Fate.LEARNT;
    }
    Fate fate = null;
    for (Parsed<Feedback> parsed : reader.feedback(line, topic)) {
      if (parsed.event() != null) {
        Fate of = fate(parsed.event());
        fate = fate == null || of.compareTo(fate) < 0 ? of : fate;
      }
    }
    return fate == null ? Fate.NEW : fate;
  }

  private Fate fate(Feedback event) {
    long impression = shown.hashCharsToLong(event.impressionId());
    if (fresh.count(impression) > 0) {
      return Fate.NEW;
    }
    if (given.count(id(event)) > 0) {
      return Fate.LEARNT;
    }
    return learnt(impression) ? Fate.TOO_LATE : Fate.NEW;
  }

  private boolean learnt(long impression) {
    return given.count(impression) > late.count(impression);
  }

  private long id(Impression impression) {
    return shown.hashCharsToLong(impression.id());
  }

  private long id(Feedback event) {
    return answered
        .hashStream()
        .putString(event.impressionId())
        .putString(event.eventId())
        .putInt(event.task())
        .getAsLong();
  }

  private long refusedId(String topic, byte @Nullable [] line) {
    var bytes = refused.hashStream().putString(topic);
    return (line == null ? bytes : bytes.putByteArray(line)).getAsLong();
  }
}
