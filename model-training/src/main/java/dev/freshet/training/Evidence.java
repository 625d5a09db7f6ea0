package dev.freshet.training;

import dev.freshet.core.codec.Bytes;
import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.features.FeatureEncoder;
import dev.freshet.core.features.FeatureField;
import dev.freshet.core.labels.Task;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.network.ModelContext;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Record of all that a model has ever been taught: which fields an example had, which tasks had an
 * outcome. Of a field or a task that never had any, nothing was learnt. Held-out examples do not
 * count. Part of the trainer's snapshot.
 */
public final class Evidence {

  /**
   * A task without an outcome.
   *
   * @param labels its final labels: of impressions whose step before happened, all of them
   *     negative, or an amount of 0
   */
  public record Fruitless(Task task, long labels) {}

  private final List<FeatureField> fields;
  private final List<Task> tasks;
  private final long[] absentKeys;
  private final boolean[] present;
  private final boolean[] happened;
  private final long[] finals;
  private long examples;

  Evidence(ModelContext context) {
    fields = context.schema().fields();
    tasks = context.tasks();
    absentKeys = fields.stream().mapToLong(FeatureEncoder::absentKey).toArray();
    present = new boolean[fields.size()];
    happened = new boolean[tasks.size()];
    finals = new long[tasks.size()];
  }

  /**
   * An example's batch went into the weights.
   *
   * @param learnt true if one of its labels did
   */
  void add(EncodedExample example, boolean learnt) {
    if (example.holdout()) {
      return;
    }
    if (learnt) {
      examples++;
      for (int field = 0; field < present.length; field++) {
        present[field] |= has(example, field);
      }
    }
    for (int task = 0; task < finals.length; task++) {
      TaskLabel label = example.labels()[task];
      happened[task] |= label.present() && label.value() != 0;
      finals[task] += label.isFinal() && label.reached() ? 1 : 0;
    }
  }

  private boolean has(EncodedExample example, int field) {
    for (int i = example.starts()[field]; i < example.starts()[field + 1]; i++) {
      if (example.keys()[i] != absentKeys[field]) {
        return true;
      }
    }
    return false;
  }

  /** Examples that were learnt from. */
  public long examples() {
    return examples;
  }

  /**
   * Names of the fields that not one of the examples had; empty before the first example. Never a
   * cross or a count, which nobody has to send.
   */
  public List<String> absentFields() {
    List<String> absent = new ArrayList<>();
    for (int field = 0; examples > 0 && field < present.length; field++) {
      if (!present[field] && fields.get(field).expected()) {
        absent.add(fields.get(field).name());
      }
    }
    return absent;
  }

  /** The tasks that have never had an outcome, in the order of the pipeline. */
  public List<Fruitless> fruitless() {
    List<Fruitless> none = new ArrayList<>();
    for (int task = 0; task < finals.length; task++) {
      if (!happened[task]) {
        none.add(new Fruitless(tasks.get(task), finals[task]));
      }
    }
    return none;
  }

  /**
   *
   *
   * <pre>
   * long examples | count fields, each: boolean was present
   * | count tasks, each: boolean happened | long final labels
   * </pre>
   */
  void write(DataOutput out) throws IOException {
    out.writeLong(examples);
    Bytes.writeCount(out, present.length);
    for (boolean was : present) {
      out.writeBoolean(was);
    }
    Bytes.writeCount(out, finals.length);
    for (int task = 0; task < finals.length; task++) {
      out.writeBoolean(happened[task]);
      out.writeLong(finals[task]);
    }
  }

  void read(DataInput in) throws IOException {
    examples = in.readLong();
    requireSize("fields", present.length, Bytes.readCount(in));
    for (int field = 0; field < present.length; field++) {
      present[field] = in.readBoolean();
    }
    requireSize("tasks", finals.length, Bytes.readCount(in));
    for (int task = 0; task < finals.length; task++) {
      happened[task] = in.readBoolean();
      finals[task] = in.readLong();
    }
  }

  private static void requireSize(String what, int expected, int read) throws IOException {
    if (expected != read) {
      throw new IOException("a snapshot of " + read + " " + what + " does not fit " + expected);
    }
  }

  /** A snapshot of before does not tell: nobody is accused of what may well have been there. */
  void readOfBefore(long learnt) {
    examples = learnt;
    Arrays.fill(present, true);
    Arrays.fill(happened, true);
    Arrays.fill(finals, 0);
  }
}
