package dev.freshet.core.features;

import com.dynatrace.hash4j.hashing.Hasher64;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Makes a cross's keys from those of its fields: for each combination the hash, under the cross's
 * own seed, of the first field's key with the second's, of that with the third's, and so on, fields
 * by name. Where one of them is absent so is the cross. Not thread-safe.
 *
 * <p>Several values in several fields have all combinations, up to {@value #MOST}; of longer lists
 * the last values of the longest are left out, and that is counted.
 */
final class Cross {

  /** Combinations of one impression. */
  static final int MOST = 64;

  private final Hasher64 hasher;
  private final long absent;
  private final int[] parts;
  private final long[] absentParts;
  private final int[] taken;
  private final long[] made = new long[MOST];

  /** Of what was made, if values have weights; else empty. */
  private final float[] madeWeights;

  private long cut;

  /**
   * @param fields all that are no crosses, in order
   */
  Cross(FeatureField field, List<FeatureField> fields) {
    hasher = FeatureEncoder.hasher(field.name());
    absent = FeatureEncoder.absentKey(field);
    List<String> names = fields.stream().map(FeatureField::name).toList();
    parts = field.of().stream().mapToInt(names::indexOf).toArray();
    absentParts =
        IntStream.of(parts).mapToLong(i -> FeatureEncoder.absentKey(fields.get(i))).toArray();
    taken = new int[parts.length];
    boolean weighted = IntStream.of(parts).anyMatch(i -> fields.get(i).weighted());
    madeWeights = new float[weighted ? MOST : 0];
  }

  /**
   * Makes the keys of an impression, for {@link #copy}.
   *
   * @param keys of the fields that are no crosses
   * @param weights of these keys; not looked at if no field of the cross has weights
   * @param starts for each of these where its keys begin, and the total
   * @return how many there are
   */
  int make(long[] keys, float[] weights, int[] starts) {
    if (!plan(keys, starts)) {
      made[0] = absent;
      return 1;
    }
    System.arraycopy(keys, starts[parts[0]], made, 0, taken[0]);
    int count = taken[0];
    for (int i = 1; i < parts.length; i++) {
      // From behind, so that what is read is not yet written over.
      for (int at = count * taken[i] - 1; at >= 0; at--) {
        long key = keys[starts[parts[i]] + at % taken[i]];
        made[at] = FeatureEncoder.key(hasher.hashLongLongToLong(made[at / taken[i]], key));
      }
      count *= taken[i];
    }
    if (madeWeights.length > 0) {
      weigh(weights, starts);
    }
    return count;
  }

  /**
   * Works out how many values of each field are combined, and counts where these are not all.
   *
   * @return true if all fields are there
   */
  boolean plan(long[] keys, int[] starts) {
    long combinations = 1;
    for (int i = 0; i < parts.length; i++) {
      if (keys[starts[parts[i]]] == absentParts[i]) {
        return false;
      }
      taken[i] = starts[parts[i] + 1] - starts[parts[i]];
      combinations *= taken[i];
    }
    if (combinations > MOST) {
      cut++;
      shorten();
    }
    return true;
  }

  /** A combination weighs what its values weigh, multiplied; what is left of a cut list is all. */
  private void weigh(float[] weights, int[] starts) {
    madeWeights[0] = 1;
    int count = 1;
    for (int i = 0; i < parts.length; i++) {
      for (int at = count * taken[i] - 1; at >= 0; at--) {
        madeWeights[at] = madeWeights[at / taken[i]] * weights[starts[parts[i]] + at % taken[i]];
      }
      count *= taken[i];
    }
    FeatureEncoder.normalize(madeWeights, 0, count);
  }

  private void shorten() {
    while (IntStream.of(taken).mapToLong(n -> n).reduce(1, (a, b) -> a * b) > MOST) {
      int longest = 0;
      for (int i = 1; i < taken.length; i++) {
        longest = taken[i] > taken[longest] ? i : longest;
      }
      taken[longest]--;
    }
  }

  /** Copies the keys that were made last. */
  void copy(long[] into, int at, int count) {
    System.arraycopy(made, 0, into, at, count);
  }

  /** Copies their weights. */
  void copyWeights(float[] into, int at, int count) {
    if (madeWeights.length == 0 || made[0] == absent) {
      Arrays.fill(into, at, at + count, 1f / count);
    } else {
      System.arraycopy(madeWeights, 0, into, at, count);
    }
  }

  /** How many impressions had more combinations than are taken. */
  long cut() {
    return cut;
  }
}
