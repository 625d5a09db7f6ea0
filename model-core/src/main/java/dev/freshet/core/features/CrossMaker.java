package dev.freshet.core.features;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/** Puts the keys of a schema's crosses between those of its other fields. Not thread-safe. */
final class CrossMaker {

  /** Of every field of the schema: null where it is no cross. */
  private final Cross[] crosses;

  /** Of the keys that were made last; empty if no field is weighted. */
  private float[] weights = EncodedExample.NO_WEIGHTS;

  private final boolean weighted;

  CrossMaker(FeatureSchema schema, boolean weighted) {
    List<FeatureField> own = schema.fields().stream().filter(field -> !field.cross()).toList();
    crosses =
        schema.fields().stream()
            .map(field -> field.cross() ? new Cross(field, own) : null)
            .toArray(Cross[]::new);
    this.weighted = weighted;
  }

  /**
   * Keys of all fields.
   *
   * @param own keys of all but crosses
   * @param ownWeights of these; not looked at if no field is weighted
   * @param ownStarts of these
   * @param starts filled in
   */
  long[] make(long[] own, float[] ownWeights, int[] ownStarts, int[] starts) {
    int place = 0;
    for (int i = 0; i < crosses.length; i++) {
      int count =
          crosses[i] == null
              ? ownStarts[place + 1] - ownStarts[place++]
              : crosses[i].make(own, ownWeights, ownStarts);
      starts[i + 1] = starts[i] + count;
    }
    long[] keys = new long[starts[crosses.length]];
    weights = weighted ? new float[keys.length] : EncodedExample.NO_WEIGHTS;
    place = 0;
    for (int i = 0; i < crosses.length; i++) {
      int count = starts[i + 1] - starts[i];
      if (crosses[i] != null) {
        crosses[i].copy(keys, starts[i], count);
        if (weighted) {
          crosses[i].copyWeights(weights, starts[i], count);
        }
      } else {
        System.arraycopy(own, ownStarts[place], keys, starts[i], count);
        if (weighted) {
          System.arraycopy(ownWeights, ownStarts[place], weights, starts[i], count);
        }
        place++;
      }
    }
    return keys;
  }

  /** Of the keys that were made last; empty if no field is weighted. */
  float[] weights() {
    return weights;
  }

  /** Leaves crosses without keys, for who makes them later, and counts those that will be cut. */
  void leaveOpen(long[] own, int[] ownStarts, int[] starts) {
    int place = 0;
    for (int i = 0; i < crosses.length; i++) {
      if (crosses[i] == null) {
        starts[i + 1] = starts[i] + ownStarts[place + 1] - ownStarts[place++];
      } else {
        crosses[i].plan(own, ownStarts);
        starts[i + 1] = starts[i];
      }
    }
  }

  /** How many impressions had so many values that a cross took the first of them only. */
  long cut() {
    return Arrays.stream(crosses).filter(Objects::nonNull).mapToLong(Cross::cut).sum();
  }
}
