package dev.freshet.core.features;

import static java.util.Objects.requireNonNull;

import com.dynatrace.hash4j.hashing.Hasher64;
import com.dynatrace.hash4j.hashing.Hashing;
import dev.freshet.core.codec.Bytes;
import dev.freshet.core.events.CompactFeatures;
import dev.freshet.core.events.Features;
import dev.freshet.core.events.RawFeatures;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Turns raw features into 64-bit keys: the hash (XXH3) of a value under its field's own seed. There
 * is no vocabulary and no bucket count, so two values share a row only if 64 bits collide. A field
 * that an impression does not have has one key too, whose row is learnt like any other. A cross's
 * keys are hashes of its fields' keys, a time's value follows from the impression's. It knows
 * values and nothing of labels: {@link ExampleEncoder} makes examples of them. Not thread-safe.
 */
public final class FeatureEncoder {

  // What is sent and begins like this gets one more NUL in front, so that it is none of these.
  private static final char RESERVED = '\0';
  private static final String UNKNOWN = RESERVED + "unknown";
  private static final String ABSENT = RESERVED + "absent";

  /** Longest text that compact features keep as it is; a longer one is kept as its key. */
  private static final int LONGEST_TEXT = 8;

  private static final int KEY = LONGEST_TEXT + 1;

  private static final int FLOATS = 1;
  private static final int DOUBLES = 2;

  /** All but crosses, in the schema's order. */
  private final List<FeatureField> fields;

  private final CrossMaker crosses;
  private final boolean crossed;

  /** True if crosses are left to who can read numbers. */
  private final boolean open;

  private final int[] ownStarts;

  /** True if rows of some fields do not all count alike. */
  private final boolean weighted;

  /** Of the keys that were made last, all fields but crosses; not used if none is weighted. */
  private float[] ownWeights = {};

  /** Of the keys that were made last; empty if no field is weighted. */
  private float[] weights = EncodedExample.NO_WEIGHTS;

  /** Null where a field is no time. */
  private final ZoneId[] zones;

  private final Hasher64[] hashers;
  private final long[] absent;
  private final int[] source;
  private final int fingerprint;

  public FeatureEncoder(FeatureSchema schema) {
    fields = schema.fields().stream().filter(field -> !field.cross()).toList();
    weighted = fields.stream().anyMatch(FeatureField::weighted);
    crossed = schema.fields().size() > fields.size();
    crosses = new CrossMaker(schema, weighted);
    open = schema.open();
    ownStarts = new int[fields.size() + 1];
    zones =
        fields.stream()
            .map(field -> field.time() ? ZoneId.of(field.zone()) : null)
            .toArray(ZoneId[]::new);
    fingerprint = schema.layout().hashCode();
    hashers = new Hasher64[fields.size()];
    absent = new long[fields.size()];
    source = new int[fields.size()];
    int categorical = 0;
    int numeric = 0;
    int vectors = schema.categorical().size();
    for (int i = 0; i < hashers.length; i++) {
      hashers[i] = hasher(fields.get(i).rowsName());
      absent[i] = absentKey(fields.get(i));
      if (fields.get(i).sent()) {
        FeatureField field = fields.get(i);
        source[i] = field.numeric() ? numeric++ : field.vector() ? vectors++ : categorical++;
      }
    }
  }

  static Hasher64 hasher(String field) {
    return Hashing.xxh3_64(Hashing.xxh3_64().hashCharsToLong(field));
  }

  /** The key whose row stands for all values of the field that have none of their own. */
  public static long unknownKey(FeatureField field) {
    return key(hasher(field.rowsName()), UNKNOWN);
  }

  /** The keys whose rows are multiplied by a field's numbers; none if it has no such numbers. */
  public static long[] valueKeys(FeatureField field) {
    Hasher64 hasher = hasher(field.name());
    return IntStream.range(0, field.values() ? field.numbers() : 0)
        .mapToLong(i -> key(hasher, "v" + i))
        .toArray();
  }

  /** The key whose row stands for the field in impressions that do not have it. */
  public static long absentKey(FeatureField field) {
    return key(hasher(field.name()), ABSENT);
  }

  private static long key(Hasher64 hasher, CharSequence value) {
    return key(hasher.hashCharsToLong(value));
  }

  static long key(long hash) {
    return hash == 0 ? 1 : hash; // 0 marks an empty slot in KeyMap
  }

  /**
   * Keys of all fields, one after the other.
   *
   * @param time of the impression, of which times are parts, epoch milliseconds
   * @param starts filled in: for each field where its keys begin, and the total
   * @throws IllegalArgumentException if compact features were made with other fields
   */
  public long[] keys(Features features, long time, int[] starts) {
    int[] own = crossed ? ownStarts : starts;
    long[] keys =
        features instanceof RawFeatures raw
            ? keys(raw, time, own)
            : keys(((CompactFeatures) features).bytes(), time, own);
    if (crossed && !open) {
      keys = crosses.make(keys, ownWeights, own, starts);
      weights = weighted ? crosses.weights() : weights;
      return keys;
    }
    if (crossed) {
      crosses.leaveOpen(keys, own, starts);
    }
    if (weighted) {
      weights = Arrays.copyOf(ownWeights, keys.length);
    }
    return keys;
  }

  /** Of the keys that were made last; empty if no field is weighted. */
  public float[] weights() {
    return weights;
  }

  /** The weights of values in their field's mean; what they add up to is 1. */
  static void normalize(float[] weights, int from, int to) {
    double sum = 0;
    for (int i = from; i < to; i++) {
      sum += weights[i];
    }
    for (int i = from; i < to; i++) {
      // Where all are so small that their product is none they count alike.
      weights[i] = sum > 0 ? (float) (weights[i] / sum) : 1f / (to - from);
    }
  }

  private void weigh(int from, int to, float[] sent) {
    if (ownWeights.length < to) {
      ownWeights = Arrays.copyOf(ownWeights, Math.max(to, 2 * ownWeights.length));
    }
    for (int i = from; i < to; i++) {
      ownWeights[i] = sent.length == to - from ? sent[i - from] : 1;
    }
    normalize(ownWeights, from, to);
  }

  /** How many impressions had so many values that a cross took the first of them only. */
  public long cut() {
    return crosses.cut();
  }

  private long[] keys(RawFeatures features, long time, int[] starts) {
    for (int i = 0; i < hashers.length; i++) {
      starts[i + 1] = starts[i] + Math.max(1, count(features, i));
    }
    long[] keys = new long[starts[hashers.length]];
    for (int i = 0; i < hashers.length; i++) {
      int count = count(features, i);
      if (zones[i] != null) {
        keys[starts[i]] = timeKey(i, time);
      } else if (count == 0) {
        keys[starts[i]] = absent[i];
      }
      for (int j = 0; j < count; j++) {
        keys[starts[i] + j] =
            fields.get(i).open()
                ? bits(number(features, i, j))
                : key(hashers[i], value(features, i, j));
      }
      if (weighted) {
        weigh(starts[i], starts[i + 1], sentWeights(features, i));
      }
    }
    return keys;
  }

  private long timeKey(int field, long time) {
    ZonedDateTime there = Instant.ofEpochMilli(time).atZone(zones[field]);
    return key(
        hashers[field], Integer.toString(requireNonNull(fields.get(field).part()).of(there)));
  }

  /** How many values were sent. */
  private int count(RawFeatures features, int field) {
    if (zones[field] != null) {
      return 0;
    }
    if (fields.get(field).numeric()) {
      return Double.isNaN(features.numbers()[source[field]]) ? 0 : 1;
    }
    if (fields.get(field).vector()) {
      return features.weights().length == 0 ? 0 : features.weights()[source[field]].length;
    }
    int values = features.categories()[source[field]].length;
    return fields.get(field).many() ? values : Math.min(values, 1);
  }

  private double number(RawFeatures features, int field, int index) {
    return fields.get(field).vector()
        ? features.weights()[source[field]][index]
        : features.numbers()[source[field]];
  }

  /** One number has one form: there is no -0. */
  private static long bits(double number) {
    return Double.doubleToRawLongBits(number + 0.0);
  }

  /** Empty where values count alike. */
  private float[] sentWeights(RawFeatures features, int field) {
    return fields.get(field).weighted() && features.weights().length > 0
        ? features.weights()[source[field]]
        : EncodedExample.NO_WEIGHTS;
  }

  private CharSequence value(RawFeatures features, int field, int index) {
    if (fields.get(field).numeric()) {
      return bucketName(fields.get(field).bucket(features.numbers()[source[field]]));
    }
    return sent(features.categories()[source[field]][index]);
  }

  private static String sent(String value) {
    return !value.isEmpty() && value.charAt(0) == RESERVED ? RESERVED + value : value;
  }

  private static String bucketName(int bucket) {
    return "b" + bucket;
  }

  /**
   * The same features, compact; every encoder of the same fields makes the same keys of them.
   * Layout:
   *
   * <pre>
   * int fingerprint of the fields | each field that is sent: count values, each
   *   categorical: byte length of UTF-8, up to 8, and the text; or 9 and the long key;
   *     with weights: float weight
   *   numeric: count bucket
   * or, of numbers that a model reads: count 0, absent; 1 and floats; 2 and doubles
   * </pre>
   */
  public Features compact(Features features) {
    if (!(features instanceof RawFeatures raw)) {
      return features;
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try {
      DataOutputStream out = new DataOutputStream(bytes);
      out.writeInt(fingerprint);
      for (int i = 0; i < hashers.length; i++) {
        if (fields.get(i).open()) {
          writeNumbers(raw, i, out);
        } else if (fields.get(i).sent()) {
          int count = count(raw, i);
          Bytes.writeCount(out, count);
          for (int j = 0; j < count; j++) {
            writeCompact(raw, i, j, out);
            if (fields.get(i).weighted()) {
              out.writeFloat(raw.weight(source[i], j));
            }
          }
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("no I/O in memory", e);
    }
    return new CompactFeatures(bytes.toByteArray());
  }

  private void writeNumbers(RawFeatures raw, int field, DataOutputStream out) throws IOException {
    int count = count(raw, field);
    boolean floats = true;
    for (int i = 0; i < count; i++) {
      double number = number(raw, field, i);
      floats &= (float) number == number;
    }
    Bytes.writeCount(out, count == 0 ? 0 : floats ? FLOATS : DOUBLES);
    for (int i = 0; i < count; i++) {
      if (floats) {
        out.writeFloat((float) number(raw, field, i));
      } else {
        out.writeDouble(number(raw, field, i));
      }
    }
  }

  private void writeCompact(RawFeatures raw, int field, int index, DataOutputStream out)
      throws IOException {
    if (fields.get(field).numeric()) {
      Bytes.writeCount(out, fields.get(field).bucket(raw.numbers()[source[field]]));
      return;
    }
    String value = raw.categories()[source[field]][index];
    byte[] text = value.getBytes(StandardCharsets.UTF_8);
    // UTF-8 replaces half of a surrogate pair, which no well-formed text has, so such go as keys.
    if (text.length <= LONGEST_TEXT && new String(text, StandardCharsets.UTF_8).equals(value)) {
      out.writeByte(text.length);
      out.write(text);
    } else {
      out.writeByte(KEY);
      out.writeLong(key(hashers[field], sent(value)));
    }
  }

  private long[] keys(byte[] compact, long time, int[] starts) {
    try {
      DataInputStream in = new DataInputStream(new ByteArrayInputStream(compact));
      if (in.readInt() != fingerprint) {
        throw new OtherFieldsException(
            "an impression waits for its labels with features of other fields: let all windows"
                + " close (stop the job with drain) before fields are changed");
      }
      long[] keys = new long[fields.size()];
      for (int i = 0; i < hashers.length; i++) {
        int count = zones[i] == null ? Bytes.readCount(in) : 0;
        int form = count;
        if (fields.get(i).open() && count > 0) {
          count = fields.get(i).numbers();
        }
        starts[i + 1] = starts[i] + Math.max(1, count);
        if (starts[i + 1] > keys.length) {
          keys = Arrays.copyOf(keys, Math.max(starts[i + 1], 2 * keys.length));
        }
        if (zones[i] != null) {
          keys[starts[i]] = timeKey(i, time);
        } else if (count == 0) {
          keys[starts[i]] = absent[i];
        }
        float[] sent = new float[fields.get(i).weighted() ? count : 0];
        for (int j = 0; j < count; j++) {
          keys[starts[i] + j] = fields.get(i).open() ? readNumber(form, in) : readCompact(i, in);
          if (sent.length > 0) {
            sent[j] = in.readFloat();
          }
        }
        if (weighted) {
          weigh(starts[i], starts[i + 1], sent);
        }
      }
      return Arrays.copyOf(keys, starts[hashers.length]);
    } catch (IOException e) {
      throw new IllegalArgumentException("compact features are cut short", e);
    }
  }

  private static long readNumber(int form, DataInputStream in) throws IOException {
    return bits(form == FLOATS ? in.readFloat() : in.readDouble());
  }

  private long readCompact(int field, DataInputStream in) throws IOException {
    if (fields.get(field).numeric()) {
      return key(hashers[field], bucketName(Bytes.readCount(in)));
    }
    int length = in.readByte();
    return length == KEY
        ? in.readLong()
        : key(hashers[field], sent(new String(in.readNBytes(length), StandardCharsets.UTF_8)));
  }
}
