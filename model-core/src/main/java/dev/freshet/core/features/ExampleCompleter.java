package dev.freshet.core.features;

import static java.util.Objects.requireNonNull;

import com.dynatrace.hash4j.hashing.Hasher64;
import dev.freshet.core.events.FieldCounts;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Finishes examples with numbers that only a model can read. Where a learnt bucket, a number as it
 * is or a vector stands, {@link FeatureEncoder} leaves the numbers' bits in the place of keys (or
 * the key of an absent field), and crosses without keys. Here a bucket becomes its key; a number
 * the field's one key, with the number as its weight; a vector a key and a weight for each of its
 * components. Trainer and replica use this same class. Not thread-safe.
 */
public final class ExampleCompleter {

  private final List<FeatureField> fields;
  private final boolean open;
  private final boolean weighted;
  private final boolean crossed;
  private final CrossMaker crosses;
  private final long[] absent;
  private final long[][] valueKeys;
  private final Hasher64[] hashers;

  private long[] own = new long[64];
  private float[] ownWeights = new float[64];
  private final int[] ownStarts;

  /** Of the batch that was completed last: example, field, example, field and so on. */
  private int[] clipped = new int[16];

  private int clippedCount;

  /** Visitor of {@link #eachClipped}. */
  public interface ClippedVisitor {
    /**
     * @param example position in the batch
     * @param field position in the schema
     */
    void clipped(int example, int field, FieldCounts.Kind kind);
  }

  public ExampleCompleter(FeatureSchema schema) {
    fields = schema.fields();
    open = schema.open();
    weighted = schema.weighted();
    crossed = fields.stream().anyMatch(FeatureField::cross);
    crosses = new CrossMaker(schema, weighted);
    absent = fields.stream().mapToLong(FeatureEncoder::absentKey).toArray();
    valueKeys = fields.stream().map(FeatureEncoder::valueKeys).toArray(long[][]::new);
    hashers =
        fields.stream().map(field -> FeatureEncoder.hasher(field.name())).toArray(Hasher64[]::new);
    ownStarts = new int[(int) fields.stream().filter(field -> !field.cross()).count() + 1];
  }

  /**
   * A batch with all keys and weights; the same one where nothing was left open.
   *
   * @param scales by field, of the model that is to see the batch
   */
  public List<EncodedExample> complete(
      List<EncodedExample> batch, Map<String, NumberScale> scales) {
    clippedCount = 0;
    if (!open) {
      return batch;
    }
    List<EncodedExample> complete = new ArrayList<>(batch.size());
    for (int i = 0; i < batch.size(); i++) {
      EncodedExample example = batch.get(i);
      complete.add(example.keys().length == 0 ? example : complete(i, example, scales));
    }
    return complete;
  }

  private EncodedExample complete(
      int number, EncodedExample example, Map<String, NumberScale> scales) {
    int at = 0;
    int place = 0;
    for (int field = 0; field < fields.size(); field++) {
      FeatureField of = fields.get(field);
      if (!of.cross()) {
        int from = example.starts()[field];
        int count = example.starts()[field + 1] - from;
        reserve(at + count);
        boolean sent = of.open() && count == of.numbers() && example.keys()[from] != absent[field];
        if (!sent) {
          copy(example, from, count, at);
        } else if (of.learnt()) {
          double value = Double.longBitsToDouble(example.keys()[from]);
          own[at] = bucketKey(field, requireNonNull(scales.get(of.name())).bucket(value));
          ownWeights[at] = 1;
        } else {
          values(number, field, example, scales.get(of.name()), at);
        }
        at += count;
        ownStarts[++place] = at;
      }
    }
    return crossed ? crossed(example) : plain(example, at);
  }

  private void reserve(int size) {
    if (own.length < size) {
      own = Arrays.copyOf(own, 2 * size);
      ownWeights = Arrays.copyOf(ownWeights, 2 * size);
    }
  }

  private void copy(EncodedExample example, int from, int count, int at) {
    System.arraycopy(example.keys(), from, own, at, count);
    if (example.weights().length > 0) {
      System.arraycopy(example.weights(), from, ownWeights, at, count);
    } else {
      Arrays.fill(ownWeights, at, at + count, 1f / count);
    }
  }

  private void values(
      int number, int field, EncodedExample example, @Nullable NumberScale scale, int at) {
    FeatureField of = fields.get(field);
    int from = example.starts()[field];
    boolean outside = false;
    for (int i = 0; i < of.numbers(); i++) {
      double value = of.scaled(Double.longBitsToDouble(example.keys()[from + i]));
      double normal = scale == null ? value : scale.normalize(value, i);
      double kept = Math.min(Math.max(normal, of.lowest()), of.highest());
      outside |= kept != normal;
      own[at + i] = valueKeys[field][i];
      ownWeights[at + i] = (float) (kept * of.share());
    }
    if (outside) {
      if (clippedCount == clipped.length) {
        clipped = Arrays.copyOf(clipped, 2 * clippedCount);
      }
      clipped[clippedCount++] = number;
      clipped[clippedCount++] = field;
    }
  }

  private long bucketKey(int field, int bucket) {
    return FeatureEncoder.key(hashers[field].hashCharsToLong("q" + bucket));
  }

  private EncodedExample plain(EncodedExample example, int count) {
    float[] weights = weighted ? Arrays.copyOf(ownWeights, count) : EncodedExample.NO_WEIGHTS;
    return example.withKeys(Arrays.copyOf(own, count), ownStarts.clone(), weights);
  }

  private EncodedExample crossed(EncodedExample example) {
    int[] starts = new int[fields.size() + 1];
    long[] keys = crosses.make(own, ownWeights, ownStarts, starts);
    float[] weights = weighted ? crosses.weights() : EncodedExample.NO_WEIGHTS;
    return example.withKeys(keys, starts, weights);
  }

  /** Visits the fields whose numbers were beyond their bounds in the batch completed last. */
  public void eachClipped(ClippedVisitor visitor) {
    for (int i = 0; i < clippedCount; i += 2) {
      visitor.clipped(clipped[i], clipped[i + 1], FieldCounts.Kind.CLIPPED);
    }
  }
}
