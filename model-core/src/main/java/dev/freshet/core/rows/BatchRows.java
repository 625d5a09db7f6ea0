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

  /** Rows that are worth a thread of their own. */
  public static final int LEAST = 512;

  private static final long NEVER = Long.MIN_VALUE;

  private final FeatureSchema.Group group;

  /** Of its fields, which follow each other. */
  private final int first;

  private final RowSource source;
  private final Workers workers;

  private final HostBuffer rowBuffer = new HostBuffer();
  private final HostBuffer indexBuffer = new HostBuffer();
  private final HostBuffer startBuffer = new HostBuffer();
  private final HostBuffer weightBuffer = new HostBuffer();

  private int[] distinct = new int[1024];

  /** Time of the newest sighting of each in the batch. */
  private long[] newest = new long[1024];

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
    this(group, source, Workers.NONE);
  }

  /**
   * @param workers look for rows and copy them
   */
  public BatchRows(FeatureSchema.Group group, RowSource source, Workers workers) {
    this.group = group;
    first = group.fields().get(0);
    this.source = source;
    this.workers = workers;
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
    int fields = group.fields().size();
    int bags = examples.size() * fields;
    LongBuffer indices = indexBuffer.longs(total);
    LongBuffer starts = startBuffer.longs(bags);
    FloatBuffer weights = weightBuffer.floats(weightCount());
    int at = 0;
    boolean single = !group.weighted();
    for (EncodedExample example : examples) {
      boolean sighting = learnt.test(example);
      for (int position = 0; position < fields; position++) {
        int field = first + position;
        int count = example.starts()[field + 1] - example.starts()[field];
        starts.put(at);
        single &= count == 1;
        for (int end = at + count; at < end; at++) {
          int row = found[at];
          if (row < 0) {
            row =
                sighting
                    ? source.sight(keys[at], position, example.eventTime())
                    : source.find(keys[at], position);
          }
          int place = place(row);
          if (sighting && example.eventTime() > newest[place]) {
            newest[place] = example.eventTime();
          }
          indices.put(place);
        }
        if (group.weighted()) {
          weigh(example, field, weights);
        }
      }
    }
    startCount = single ? 0 : bags;
    startBuffer.longs(startCount);
    read();
  }

  /** Copies the distinct rows, and says when each was seen. */
  private void read() {
    FloatBuffer rows = rowBuffer.floats(distinctCount * source.width());
    workers.share(
        distinctCount,
        workers.parts(distinctCount, LEAST),
        (part, from, to) -> {
          FloatBuffer own = rows.duplicate().position(from * source.width());
          for (int i = from; i < to; i++) {
            source.read(distinct[i], own);
            if (!source.seen(distinct[i], newest[i])) {
              newest[i] = NEVER;
            }
          }
        });
    for (int i = 0; i < distinctCount; i++) {
      if (newest[i] != NEVER) {
        source.seenAnew(distinct[i]);
      }
    }
  }

  /** Looks for the rows of all keys; how many there are. */
  private int look(List<EncodedExample> examples) {
    int behind = first + group.fields().size();
    int total = 0;
    for (EncodedExample example : examples) {
      int from = example.starts()[first];
      int count = example.starts()[behind] - from;
      if (total + count > keys.length) {
        keys = Arrays.copyOf(keys, 2 * (total + count));
      }
      System.arraycopy(example.keys(), from, keys, total, count);
      total += count;
    }
    if (found.length < total) {
      found = new int[keys.length];
    }
    workers.share(
        total, workers.parts(total, LEAST), (part, from, to) -> source.look(keys, from, to, found));
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
      newest = Arrays.copyOf(newest, distinctCount * 2);
    }
    newest[distinctCount] = NEVER;
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
