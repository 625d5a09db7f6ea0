package dev.freshet.core.features;

import com.dynatrace.hash4j.hashing.Hasher64;
import com.dynatrace.hash4j.hashing.Hashing;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.Served;
import dev.freshet.core.labels.LabeledExample;
import dev.freshet.core.labels.TaskLabel;
import org.jspecify.annotations.Nullable;

/**
 * Makes what a model sees: of a labelled example, or of an impression that is to be scored. Trainer
 * and replica use this same class. Not thread-safe.
 */
public final class ExampleEncoder {

  private static final double HASH_RANGE = 0x1p53;
  private static final TaskLabel[] NO_LABELS = {};
  private static final float[] NOT_SERVED = {};

  private final FeatureEncoder features;
  private final int fields;
  private final double holdout;
  private final Hasher64 ids = Hashing.xxh3_64();

  /** For who only scores: nothing is held out. */
  public ExampleEncoder(FeatureSchema schema) {
    this(schema, 0);
  }

  /**
   * @param holdout share of impressions whose examples are marked as held out
   */
  public ExampleEncoder(FeatureSchema schema, double holdout) {
    features = new FeatureEncoder(schema);
    fields = schema.fields().size();
    this.holdout = holdout;
  }

  /**
   * Encodes a labelled example.
   *
   * @throws IllegalArgumentException if compact features were made with other fields
   */
  public EncodedExample encode(LabeledExample example) {
    return encode(example.impression(), example.labels());
  }

  /**
   * Encodes an impression of which nothing is known yet.
   *
   * @throws IllegalArgumentException if compact features were made with other fields
   */
  public EncodedExample encode(Impression impression) {
    return encode(impression, NO_LABELS);
  }

  private EncodedExample encode(Impression impression, TaskLabel[] labels) {
    long id = ids.hashCharsToLong(impression.id());
    int[] starts = new int[fields + 1];
    long[] keys = features.keys(impression.features(), impression.eventTime(), starts);
    return new EncodedExample(
        id,
        impression.id(),
        impression.eventTime(),
        (id >>> 11) / HASH_RANGE < holdout,
        keys,
        starts,
        features.weights(),
        labels,
        served(impression.served()));
  }

  /** How many impressions had so many values that a cross took the first of them only. */
  public long cut() {
    return features.cut();
  }

  private static float[] served(@Nullable Served served) {
    if (served == null) {
      return NOT_SERVED;
    }
    float[] scores = new float[served.scores().length];
    for (int i = 0; i < scores.length; i++) {
      // A number that only a double can hold must not become infinity.
      scores[i] = (float) Math.min(Math.max(served.scores()[i], -Float.MAX_VALUE), Float.MAX_VALUE);
    }
    return scores;
  }
}
