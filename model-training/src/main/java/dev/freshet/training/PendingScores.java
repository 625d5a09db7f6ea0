package dev.freshet.training;

import dev.freshet.core.codec.Bytes;
import dev.freshet.core.rows.KeyMap;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Predictions made before anything of their impressions was learnt, kept until the last label is
 * final: a primitive map and flat arrays, some 60 bytes for each pending impression of three tasks.
 *
 * <p>At most so many are kept. When there would be more, half of all impressions are no longer
 * scored, chosen by hash, and so on; which share it is only ever falls, because of an impression
 * that was left out nobody knows later whether it has been learnt from.
 */
final class PendingScores {

  /**
   * The first prediction for an impression.
   *
   * @param predicted predictions that were or would have been served, per task; not finite if it is
   *     {@link #BROKEN} or {@link #NOTHING}
   * @param unshrunk the same before it was shrunk
   * @param step of training before which it was made
   */
  record First(double[] predicted, double[] unshrunk, long step) {}

  /** In place of a prediction that was no number: it is not scored. */
  static final double BROKEN = Double.POSITIVE_INFINITY;

  /** In place of a prediction of a task of which nothing had been learnt. */
  static final double NOTHING = Double.NaN;

  private static final Logger LOGGER = LoggerFactory.getLogger(PendingScores.class);
  private static final int SMALLEST = 64;
  private static final long SALT = 0x2545F4914F6CDD1DL;

  private final int tasks;
  private final int most;
  private final KeyMap places = new KeyMap();
  private float[] scores = {};
  private long[] steps = {};
  private int[] free = {};
  private int freeCount;
  private int used;

  /** Only impressions whose hash has so many leading zero bits are scored: 1 of 2 to the power. */
  private int halvings;

  PendingScores(int tasks, int most) {
    this.tasks = tasks;
    this.most = most;
  }

  /** Share of the impressions that is scored. */
  double share() {
    return Math.scalb(1.0, -halvings);
  }

  /** True if an impression belongs to that share. */
  boolean keeps(long id) {
    // Another hash than those of the holdout and the negative sampling, which take the same id.
    long mixed = (id ^ SALT) * 0x9E3779B97F4A7C15L;
    mixed = (mixed ^ mixed >>> 32) * 0xD6E8FEB86659FD93L;
    return Long.numberOfLeadingZeros(mixed) >= halvings;
  }

  private void halve() {
    halvings++;
    LOGGER.warn(
        "{} predictions wait for their labels, as many as may (scoring.pending):"
            + " one of {} impressions is scored from now on",
        places.size(),
        1L << halvings);
    long[] gone = new long[places.size()];
    int[] count = {0};
    places.each(
        (id, place) -> {
          if (!keeps(id)) {
            gone[count[0]++] = id;
          }
        });
    for (int i = 0; i < count[0]; i++) {
      remove(gone[i]);
    }
  }

  // The map has no room for the key 0.
  private static long key(long id) {
    return id == 0 ? 1 : id;
  }

  /** Keeps the first prediction for an impression of the scored share. */
  void put(long id, First first) {
    while (places.size() >= most && places.get(key(id)) == KeyMap.MISSING) {
      halve();
    }
    if (!keeps(id)) {
      return;
    }
    int place = places.get(key(id));
    if (place == KeyMap.MISSING) {
      place = freeCount > 0 ? free[--freeCount] : used++;
      places.put(key(id), place);
      if (used > steps.length) {
        steps = Arrays.copyOf(steps, Math.max(SMALLEST, 2 * used));
        scores = Arrays.copyOf(scores, steps.length * 2 * tasks);
      }
    }
    for (int task = 0; task < tasks; task++) {
      scores[2 * place * tasks + task] = (float) first.predicted()[task];
      scores[(2 * place + 1) * tasks + task] = (float) first.unshrunk()[task];
    }
    steps[place] = first.step();
  }

  /** The prediction, or null. */
  @Nullable First get(long id) {
    int place = places.get(key(id));
    if (place == KeyMap.MISSING) {
      return null;
    }
    return new First(
        row(scores, 2 * place * tasks), row(scores, (2 * place + 1) * tasks), steps[place]);
  }

  private double[] row(float[] of, int from) {
    double[] row = new double[tasks];
    for (int task = 0; task < tasks; task++) {
      row[task] = of[from + task];
    }
    return row;
  }

  void remove(long id) {
    int place = places.get(key(id));
    if (place != KeyMap.MISSING) {
      places.remove(key(id));
      if (freeCount == free.length) {
        free = Arrays.copyOf(free, Math.max(SMALLEST, 2 * freeCount));
      }
      free[freeCount++] = place;
    }
  }

  int size() {
    return places.size();
  }

  /**
   *
   *
   * <pre>
   * int halvings | int count, each, by id: long id | long step
   * | floats predicted, then unshrunk
   * </pre>
   */
  void write(DataOutput out) throws IOException {
    out.writeInt(halvings);
    // In order of the id, so that equal contents give equal bytes.
    long[] ids = new long[places.size()];
    int[] next = {0};
    places.each((id, place) -> ids[next[0]++] = id);
    Arrays.sort(ids);
    out.writeInt(ids.length);
    for (long id : ids) {
      int from = 2 * places.get(id) * tasks;
      out.writeLong(id);
      out.writeLong(steps[places.get(id)]);
      Bytes.writeFloats(out, Arrays.copyOfRange(scores, from, from + 2 * tasks));
    }
  }

  /**
   * The inverse of {@link #write}.
   *
   * @param version of the trainer's snapshot: halvings and steps came with base rates; before there
   *     were shrinkages, what was predicted was served as it was
   */
  void read(DataInput in, int version) throws IOException {
    boolean withSteps = version >= TrainerSnapshot.WITH_RATES;
    boolean withUnshrunk = version >= TrainerSnapshot.WITH_SHRINKAGES;
    places.clear();
    freeCount = 0;
    used = 0;
    halvings = withSteps ? in.readInt() : 0;
    int size = in.readInt();
    for (int i = 0; i < size; i++) {
      long id = in.readLong();
      long step = withSteps ? in.readLong() : 0;
      float[] floats = Bytes.readFloats(in);
      put(id, new First(row(floats, 0), row(floats, withUnshrunk ? tasks : 0), step));
    }
  }
}
