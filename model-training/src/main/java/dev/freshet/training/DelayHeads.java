package dev.freshet.training;

import static java.util.Objects.requireNonNull;

import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.features.FeatureSchema;
import dev.freshet.core.features.NumberScale;
import dev.freshet.core.labels.Task;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.labels.correction.DelayCorrections;
import dev.freshet.core.labels.correction.Estimates;
import dev.freshet.core.models.AmountHead;
import dev.freshet.core.models.sharedbottom.SharedBottom;
import dev.freshet.core.models.torch.TorchDevice;
import dev.freshet.core.network.ModelContext;
import dev.freshet.core.network.Network;
import dev.freshet.core.pipeline.TrainingSettings;
import dev.freshet.training.rows.EmbeddingTable;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Estimates that delay corrections need, learnt beside the model by a small net with rows of its
 * own. For each task whose correction asks for it, if it is binary:
 *
 * <ul>
 *   <li><b>late</b>, dp: the positive comes after the first record. Taught by every final label: 1
 *       for such a positive, 0 for all others.
 *   <li><b>stays</b>, rn: what was a negative in the first record stays one. Taught by final labels
 *       that were no positive then: 1 for a negative, 0 for a late positive.
 * </ul>
 *
 * And if it is an amount that is emitted with each change:
 *
 * <ul>
 *   <li><b>stays nothing</b>: a record of nothing so far is followed by no change.
 *   <li><b>stays something</b>: nor is one of something so far. An impression with m such records
 *       teaches 1 / m with weight m, for only its last one is followed by none.
 * </ul>
 *
 * And if pending impressions are emitted at the ends of parts of their window: for each part
 * whether an impression is past it <b>undecided</b>, given that it came to it, and for those
 * decided in it whether with a <b>positive</b>. These are taught at the end of each part.
 *
 * <p>Otherwise only records of kind FINAL teach them, so nothing of the future reaches a weight: an
 * estimate knows labels that were final before the record it is made for was learnt. Held-out
 * impressions teach nothing. Their state is part of the trainer's checkpoint.
 */
final class DelayHeads implements AutoCloseable {

  private static final int HEADS = 2;
  private static final int LATE = 0;
  private static final int STAYS = 1;
  private static final int STAYS_NOTHING = 0;
  private static final int STAYS_SOMETHING = 1;
  private static final float CONFIDENT = 3;
  private static final List<Integer> BOTTOM = List.of(64);
  private static final List<Integer> TOWER = List.of(32);

  private final List<Task> tasks;
  private final int[] headOf;
  private final int width;
  private final Learner learner;
  private final Network network;
  private final TrainingSettings settings;

  /** Of the heads of parts, which start where most impressions end; null without any. */
  private final @Nullable BaseRates rates;

  private float[][] estimates = {};
  private boolean clipped;
  private long steps;

  private DelayHeads(
      ModelContext of,
      TrainingSettings settings,
      TorchDevice device,
      int[] headOf,
      List<Task> heads) {
    tasks = of.tasks();
    this.headOf = headOf;
    width = heads.size();
    this.settings = settings;
    AmountHead none = new AmountHead(AmountHead.Loss.SQUARED, 1);
    SharedBottom net = new SharedBottom("delay heads", BOTTOM, TOWER, none);
    FeatureSchema schema = of.schema();
    // Another seed than the model's, or both would start alike.
    ModelContext context = new ModelContext(net, heads, schema, 1);
    learner =
        new Learner(context, ~settings.seed(), settings.embeddings(), device, settings.trainers());
    network = learner.network();
    boolean parts = false;
    for (int task = 0; task < headOf.length; task++) {
      if (headOf[task] >= 0) {
        parts |= parts(task) > 0;
        for (int head = 0; head < HEADS && parts(task) == 0; head++) {
          boolean unlikely = tasks.get(task).binary() && head == LATE;
          startAt(headOf[task] + head, unlikely ? -CONFIDENT : CONFIDENT);
        }
      }
    }
    rates = parts ? new BaseRates(context, network) : null;
  }

  /** Until some label is final nothing is late, so that weights begin as those of a window. */
  private void startAt(int head, float logOdds) {
    String bias = "tower" + head + ".out.bias";
    for (int i = 0; i < network.parameters().size(); i++) {
      if (network.parameters().get(i).name().equals(bias)) {
        network.weights().get(i).write(0, logOdds);
      }
    }
  }

  /** Which heads these tasks ask for, in order, as a text; empty if none does. */
  static String shape(List<Task> tasks) {
    return tasks.stream()
        .filter(task -> correction(task).estimates())
        .map(
            task -> {
              int parts = correction(task).parts();
              String first = task.binary() ? "late" : "changes";
              return task.name() + ":" + (parts > 0 ? "parts-" + parts : first);
            })
        .collect(Collectors.joining(","));
  }

  /** The heads that a model's tasks ask for, or null if none does. */
  static @Nullable DelayHeads of(
      ModelContext context, TrainingSettings settings, TorchDevice device) {
    int[] headOf = new int[context.tasks().size()];
    List<Task> heads = new ArrayList<>();
    for (int task = 0; task < headOf.length; task++) {
      Task of = context.tasks().get(task);
      headOf[task] = -1;
      if (correction(of).estimates()) {
        headOf[task] = heads.size();
        int parts = correction(of).parts();
        for (int head = 0; head < (parts > 0 ? 2 * parts : HEADS); head++) {
          heads.add(of.asBinary());
        }
      }
    }
    return heads.isEmpty() ? null : new DelayHeads(context, settings, device, headOf, heads);
  }

  /**
   * Estimates for a batch, and then a step on its final labels.
   *
   * @param numbers how these are read
   * @return false if its loss or gradient was not finite or too large, and nothing was learnt
   */
  boolean process(List<EncodedExample> batch, Map<String, NumberScale> numbers) {
    network.numbers(numbers);
    clipped = false;
    network.gather(batch, example -> !example.holdout());
    estimates = network.predict(batch.size());
    float[][] labels = new float[batch.size()][width];
    float[][] weights = new float[batch.size()][width];
    boolean any = false;
    for (int i = 0; i < labels.length; i++) {
      EncodedExample example = batch.get(i);
      for (int task = 0; task < tasks.size(); task++) {
        TaskLabel label = example.labels()[task];
        boolean teaches = label.isFinal() || label.present() && parts(task) > 0;
        if (headOf[task] >= 0 && teaches && !example.holdout()) {
          any = true;
          teach(task, label, labels[i], weights[i]);
        }
      }
    }
    if (!any) {
      return true;
    }
    Runnable undo = follow(labels, weights);
    Learner.Targets targets =
        new Learner.Targets(
            labels,
            weights,
            new float[batch.size()][width],
            new long[batch.size()],
            batch.size(),
            pace());
    Learner.StepReport report = learner.learn(targets, settings, steps);
    clipped = report.clipped();
    steps += report.taken() ? 1 : 0;
    if (!report.taken()) {
      undo.run();
    }
    return report.taken();
  }

  private float[] pace() {
    float[] pace = new float[width];
    Arrays.fill(pace, 1);
    for (int head = 0; rates != null && head < width; head++) {
      pace[head] = rates.pace(head);
    }
    return pace;
  }

  /** Moves the biases of the heads of parts to their base rates; what is returned moves back. */
  private Runnable follow(float[][] labels, float[][] weights) {
    if (rates == null) {
      return () -> {};
    }
    Runnable undo = rates.mark();
    for (int task = 0; task < headOf.length; task++) {
      for (int head = 0; headOf[task] >= 0 && head < 2 * parts(task); head++) {
        int at = headOf[task] + head;
        for (int i = 0; i < labels.length; i++) {
          if (weights[i][at] > 0) {
            rates.see(at, labels[i][at], weights[i][at], 1);
          }
        }
      }
    }
    rates.move(null);
    return undo;
  }

  private void teach(int task, TaskLabel label, float[] labels, float[] weights) {
    int head = headOf[task];
    if (parts(task) > 0) {
      int part = Math.min(label.changes(), parts(task) - 1);
      labels[undecided(task, part)] = label.isFinal() ? 0 : 1;
      weights[undecided(task, part)] = part < parts(task) - 1 ? 1 : 0;
      labels[positive(task, part)] = label.value() > 0 ? 1 : 0;
      weights[positive(task, part)] = label.isFinal() ? 1 : 0;
      return;
    }
    boolean late = label.late();
    if (tasks.get(task).binary()) {
      boolean positive = label.value() > 0;
      labels[head + LATE] = positive && late ? 1 : 0;
      weights[head + LATE] = 1;
      labels[head + STAYS] = positive ? 0 : 1;
      weights[head + STAYS] = positive && !late ? 0 : 1;
      return;
    }
    boolean somethingAtFirst = label.delay() >= 0 && !late;
    int something = label.changes() + (somethingAtFirst ? 1 : 0);
    labels[head + STAYS_NOTHING] = label.changes() == 0 ? 1 : 0;
    weights[head + STAYS_NOTHING] = somethingAtFirst ? 0 : 1;
    labels[head + STAYS_SOMETHING] = something == 0 ? 0 : 1f / something;
    weights[head + STAYS_SOMETHING] = something;
  }

  /** Estimates about a label of an example of the last batch. */
  Estimates estimates(int example, int task, TaskLabel label, double prediction) {
    int head = headOf[task];
    if (head < 0) {
      return Estimates.notLate(prediction);
    }
    float[] of = estimates[example];
    if (parts(task) > 0) {
      return new Estimates(prediction, 0, 1 - positiveAfter(task, label.changes(), of));
    }
    if (tasks.get(task).binary()) {
      return new Estimates(prediction, of[head + LATE], of[head + STAYS]);
    }
    boolean something = label.delay() >= 0;
    return new Estimates(prediction, 0, of[head + (something ? STAYS_SOMETHING : STAYS_NOTHING)]);
  }

  /** True if a gradient of the last batch was scaled down. */
  boolean clipped() {
    return clipped;
  }

  private int parts(int task) {
    return correction(tasks.get(task)).parts();
  }

  private static DelayCorrections correction(Task task) {
    return requireNonNull(task.correction(), "tasks are resolved");
  }

  private int undecided(int task, int part) {
    return headOf[task] + 2 * part;
  }

  private int positive(int task, int part) {
    return undecided(task, part) + 1;
  }

  /** Chance of a positive if a part of the window is past and nothing is decided. */
  private double positiveAfter(int task, int past, float[] of) {
    double reaches = 1;
    double positive = 0;
    for (int part = past + 1; part < parts(task); part++) {
      double undecided = part == parts(task) - 1 ? 0 : of[undecided(task, part)];
      positive += reaches * (1 - undecided) * of[positive(task, part)];
      reaches *= undecided;
    }
    return positive;
  }

  void expire(long now) {
    learner.expire(now);
  }

  List<EmbeddingTable> tables() {
    return learner.tables();
  }

  /** As {@link Learner#write}. */
  void write(DataOutput out, boolean rows) throws IOException {
    out.writeLong(steps);
    learner.write(out, settings.dense(), rows);
    if (rates != null) {
      rates.write(out);
    }
  }

  /** As {@link Learner#read}. */
  List<String> read(DataInput in, int version, boolean rows) throws IOException {
    steps = in.readLong();
    List<String> anew = learner.read(in, version, rows, settings);
    if (rates != null) {
      rates.read(in);
    }
    return anew;
  }

  @Override
  public void close() {
    learner.close();
  }
}
