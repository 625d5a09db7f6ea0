package dev.freshet.core.rows;

import dev.freshet.core.events.FieldCounts;
import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.features.FeatureSchema;
import dev.freshet.core.models.torch.HostBuffer;
import dev.freshet.core.models.torch.TorchEngine;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;

/**
 * The rows of one embedding table that a batch needs, each once, with the bags that say which
 * example and field use which row. Buffers are reused from batch to batch.
 */
public final class BatchRows {

  private final FeatureSchema.Group group;
  private final RowSource source;

  private final HostBuffer rowBuffer = new HostBuffer();
  private final HostBuffer indexBuffer = new HostBuffer();
  private final HostBuffer startBuffer = new HostBuffer();
  private final HostBuffer weightBuffer = new HostBuffer();

  private int[] distinct = new int[1024];
  private int distinctCount;
  private int indexCount;

  /** None where each bag is one row. */
  private int startCount;

  /** Of the batch, as they come, and the rows that were found for them at first sight. */
  private long[] keys = {};

  private int[] found = {};

  /** Of each row the batch that it was last in, and its place there, in one word: one look. */
  private long[] places = {};

  private int batch;

  public BatchRows(FeatureSchema.Group group, RowSource source) {
    this.group = group;
    this.source = source;
  }

  /**
   * Collects the rows of a batch.
   *
   * @param learnt true if an example's keys count as sightings
   */
  public void gather(List<EncodedExample> examples, Predicate<EncodedExample> learnt) {
    batch++;
    source.begin();
    distinctCount = 0;
    int total = look(examples);
    indexCount = total;
    int bags = examples.size() * group.fields().size();
    LongBuffer indices = indexBuffer.longs(total);
    LongBuffer starts = startBuffer.longs(bags);
    FloatBuffer weights = weightBuffer.floats(weightCount());
    int at = 0;
    boolean single = !group.weighted();
    for (EncodedExample example : examples) {
      boolean sighting = learnt.test(example);
      for (int position = 0; position < group.fields().size(); position++) {
        int field = group.fields().get(position);
        starts.put(at);
        single &= example.starts()[field + 1] - example.starts()[field] == 1;
        for (int i = example.starts()[field]; i < example.starts()[field + 1]; i++) {
          int row = found[at];
          if (row < 0) {
            long key = example.keys()[i];
            row =
                sighting
                    ? source.sight(key, position, example.eventTime())
                    : source.find(key, position);
          } else if (sighting) {
            source.seen(row, example.eventTime());
          }
          indices.put(place(row));
          at++;
        }
        if (group.weighted()) {
          weigh(example, field, weights);
        }
      }
    }
    startCount = single ? 0 : bags;
    startBuffer.longs(startCount);
    FloatBuffer rows = rowBuffer.floats(distinctCount * source.width());
    for (int i = 0; i < distinctCount; i++) {
      source.read(distinct[i], rows);
    }
  }

  /** Looks for the rows of all keys; how many there are. */
  private int look(List<EncodedExample> examples) {
    int total = 0;
    for (EncodedExample example : examples) {
      int[] starts = example.starts();
      for (int field : group.fields()) {
        int count = starts[field + 1] - starts[field];
        if (total + count > keys.length) {
          keys = Arrays.copyOf(keys, 2 * (total + count));
        }
        System.arraycopy(example.keys(), starts[field], keys, total, count);
        total += count;
      }
    }
    if (found.length < total) {
      found = new int[keys.length];
    }
    source.look(keys, total, found);
    return total;
  }

  private static void weigh(EncodedExample example, int field, FloatBuffer into) {
    int from = example.starts()[field];
    int count = example.starts()[field + 1] - from;
    if (example.weights().length > 0) {
      into.put(example.weights(), from, count);
      return;
    }
    for (int i = 0; i < count; i++) {
      into.put(1f / count);
    }
  }

  private int weightCount() {
    return group.weighted() ? indexCount : 0;
  }

  /** Visitor of {@link #eachMissing}. */
  public interface MissingVisitor {
    /**
     * @param example position in the batch
     * @param field position in the schema
     */
    void missing(int example, int field, FieldCounts.Kind kind);
  }

  /**
   * Visits the fields of the gathered batch that are absent, or have a value without a row of its
   * own.
   *
   * @param absentKeys of all fields, in the schema's order
   */
  public void eachMissing(
      List<EncodedExample> examples, long[] absentKeys, MissingVisitor visitor) {
    LongBuffer indices = indexBuffer.longs(indexCount);
    int at = 0;
    for (int example = 0; example < examples.size(); example++) {
      long[] keys = examples.get(example).keys();
      int[] starts = examples.get(example).starts();
      for (int position = 0; position < group.fields().size(); position++) {
        int field = group.fields().get(position);
        boolean absent = false;
        boolean unknown = false;
        for (int i = starts[field]; i < starts[field + 1]; i++) {
          absent |= keys[i] == absentKeys[field];
          unknown |= source.isUnknown(distinct[(int) indices.get(at)], position);
          at++;
        }
        if (absent) {
          visitor.missing(example, field, FieldCounts.Kind.ABSENT);
        } else if (unknown) {
          visitor.missing(example, field, FieldCounts.Kind.UNKNOWN);
        }
      }
    }
  }

  private int place(int row) {
    if (row >= places.length) {
      places = Arrays.copyOf(places, Math.max(1024, Integer.highestOneBit(row) * 2));
    }
    long last = places[row];
    if ((int) (last >>> 32) == batch) {
      return (int) last;
    }
    if (distinctCount == distinct.length) {
      distinct = Arrays.copyOf(distinct, distinctCount * 2);
    }
    places[row] = (long) batch << 32 | distinctCount;
    distinct[distinctCount] = row;
    return distinctCount++;
  }

  /**
   * Adds the first of the table's four arguments: the caller adds all groups' rows, then indices,
   * then starts, then weights.
   */
  public void addRows(TorchEngine.Call call) {
    call.addToList("e", rowBuffer, distinctCount, source.width());
  }

  /** Adds the indices into the rows. */
  public void addIndices(TorchEngine.Call call) {
    call.addToList("indices", indexBuffer, indexCount);
  }

  /** Adds where each bag starts; nothing where each is one row. */
  public void addStarts(TorchEngine.Call call) {
    call.addToList("offsets", startBuffer, startCount);
  }

  /** Adds what the row of each index is multiplied by; nothing where bags are means. */
  public void addWeights(TorchEngine.Call call) {
    call.addToList("weights", weightBuffer, weightCount());
  }

  /** How many rows the batch has. */
  public int count() {
    return distinctCount;
  }

  /** The number of one of the batch's rows, in the order in which {@link #addRows} adds them. */
  public int row(int index) {
    return distinct[index];
  }
}
