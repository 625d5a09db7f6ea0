package dev.freshet.core.features;

import com.dynatrace.hash4j.hashing.Hasher64;
import com.dynatrace.hash4j.hashing.Hashing;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.RawFeatures;
import dev.freshet.core.events.Served;
import dev.freshet.core.labels.LabeledExample;
import java.util.List;

/**
 * Turns raw features into 64-bit keys: the hash (XXH3) of a value under its field's own seed. There
 * is no vocabulary and no bucket count, so two values share a row only if 64 bits collide. Trainer
 * and replica use this same class. Not thread-safe.
 */
public final class FeatureEncoder {

  private static final double HASH_RANGE = 0x1p53;
  private static final float[] NOT_SERVED = {};

  private final List<FeatureField> fields;
  private final Hasher64[] hashers;
  private final Hasher64 ids = Hashing.xxh3_64();
  private final int[] source;
  private final double holdout;

  /**
   * @param holdout share of impressions that {@link #encode} marks as held out
   */
  public FeatureEncoder(FeatureSchema schema, double holdout) {
    fields = schema.fields();
    this.holdout = holdout;
    hashers = new Hasher64[fields.size()];
    source = new int[fields.size()];
    int categorical = 0;
    int numeric = 0;
    for (int i = 0; i < hashers.length; i++) {
      hashers[i] = hasher(fields.get(i));
      source[i] = fields.get(i).numeric() ? numeric++ : categorical++;
    }
  }

  private static Hasher64 hasher(FeatureField field) {
    return Hashing.xxh3_64(Hashing.xxh3_64().hashCharsToLong(field.name()));
  }

  /** The key whose row stands for all values of the field that have none of their own. */
  public static long unknownKey(FeatureField field) {
    return key(hasher(field), "\0unknown");
  }

  private static long key(Hasher64 hasher, CharSequence value) {
    long hash = hasher.hashCharsToLong(value);
    return hash == 0 ? 1 : hash; // 0 marks an empty slot in EmbeddingTable
  }

  /** Encodes a labelled example. */
  public EncodedExample encode(LabeledExample example) {
    Impression impression = example.impression();
    long id = ids.hashCharsToLong(impression.id());
    int[] starts = new int[fields.size() + 1];
    long[] keys = keys(impression.features(), starts);
    return new EncodedExample(
        id,
        impression.eventTime(),
        (id >>> 11) / HASH_RANGE < holdout,
        keys,
        starts,
        example.labels(),
        served(impression.served()));
  }

  /**
   * Keys of all fields one after the other.
   *
   * @param starts filled in: for each field where its keys begin, and the total
   */
  public long[] keys(RawFeatures features, int[] starts) {
    for (int i = 0; i < hashers.length; i++) {
      starts[i + 1] = starts[i] + count(features, i);
    }
    long[] keys = new long[starts[hashers.length]];
    for (int i = 0; i < hashers.length; i++) {
      int count = starts[i + 1] - starts[i];
      for (int j = 0; j < count; j++) {
        keys[starts[i] + j] = key(hashers[i], value(features, i, j));
      }
    }
    return keys;
  }

  private int count(RawFeatures features, int field) {
    if (fields.get(field).numeric()) {
      return Double.isNaN(features.numbers()[source[field]]) ? 0 : 1;
    }
    int values = features.categories()[source[field]].length;
    return fields.get(field).many() ? values : Math.min(values, 1);
  }

  private CharSequence value(RawFeatures features, int field, int index) {
    if (fields.get(field).numeric()) {
      return "b" + fields.get(field).bucket(features.numbers()[source[field]]);
    }
    return features.categories()[source[field]][index];
  }

  private static float[] served(Served served) {
    if (served == null) {
      return NOT_SERVED;
    }
    float[] scores = new float[served.scores().length];
    for (int i = 0; i < scores.length; i++) {
      scores[i] = (float) served.scores()[i];
    }
    return scores;
  }
}
