package dev.freshet.core.training;

import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.features.FeatureSchema;
import dev.freshet.core.labels.Task;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.labels.correction.Estimates;
import dev.freshet.core.models.AmountHead;
import dev.freshet.core.models.sharedbottom.SharedBottom;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * What delay corrections have to guess, learnt beside the model by a small net with rows of its
 * own. For each binary task whose correction asks for it:
 *
 * <ul>
 *   <li><b>late</b>, dp: the yes comes after the waiting time. Taught by every settled label: 1 for
 *       a yes with a longer delay, 0 for all others.
 *   <li><b>stays</b>, rn: what was a no at the waiting time stays one. Taught by settled labels
 *       that were no yes within the waiting time: 1 for a no, 0 for a late yes.
 * </ul>
 *
 * Only records of kind FINAL teach them, so nothing of the future reaches a weight: an estimate
 * knows labels that were settled before the record it is made for was learnt. Held-out impressions
 * teach nothing. Their state is part of the trainer's checkpoint.
 */
final class DelayHeads implements AutoCloseable {

  private static final int HEADS = 2;
  private static final int LATE = 0;
  private static final int STAYS = 1;
  private static final float CONFIDENT = 3;
  private static final List<Integer> BOTTOM = List.of(64);
  private static final List<Integer> TOWER = List.of(32);

  private final List<Task> tasks;
  private final int[] headOf;
  private final int width;
  private final Network network;
  private final TrainingSettings settings;
  private float[][] estimates = {};
  private long steps;

  private DelayHeads(ModelContext of, TrainingSettings settings, int[] headOf, List<Task> heads) {
    tasks = of.tasks();
    this.headOf = headOf;
    width = heads.size();
    this.settings = settings;
    AmountHead none = new AmountHead(AmountHead.Loss.SQUARED, 1);
    SharedBottom net = new SharedBottom("delay heads", BOTTOM, TOWER, none);
    FeatureSchema schema = of.schema();
    // Another seed than the model's, or both would start alike.
    network =
        new Network(
            new ModelContext(net, heads, schema, 1),
            ~settings.seed(),
            settings.embeddings().rate());
    for (int head = 0; head < width; head++) {
      startAt(head, head % HEADS == LATE ? -CONFIDENT : CONFIDENT);
    }
  }

  /** Until something is settled nothing is late, so that weights begin as those of a window. */
  private void startAt(int head, float logOdds) {
    String bias = "tower" + head + ".out.bias";
    for (int i = 0; i < network.parameters().size(); i++) {
      if (network.parameters().get(i).name().equals(bias)) {
        network.weights().get(i).put(0, logOdds);
      }
    }
  }

  /** The heads that a model's tasks ask for, or null if none does. */
  static DelayHeads of(ModelContext context, TrainingSettings settings) {
    int[] headOf = new int[context.tasks().size()];
    List<Task> heads = new ArrayList<>();
    for (int task = 0; task < headOf.length; task++) {
      Task of = context.tasks().get(task);
      headOf[task] = -1;
      if (of.correction().estimates()) {
        headOf[task] = heads.size();
        for (int head = 0; head < HEADS; head++) {
          heads.add(of);
        }
      }
    }
    return heads.isEmpty() ? null : new DelayHeads(context, settings, headOf, heads);
  }

  /** Estimates for a batch, and then a step on what it settles. */
  void process(List<EncodedExample> batch) {
    network.gather(batch, example -> !example.holdout());
    estimates = network.predict(batch.size());
    float[][] labels = new float[batch.size()][width];
    float[][] weights = new float[batch.size()][width];
    boolean any = false;
    for (int i = 0; i < labels.length; i++) {
      EncodedExample example = batch.get(i);
      for (int task = 0; task < tasks.size(); task++) {
        TaskLabel label = example.labels()[task];
        if (headOf[task] >= 0 && label.isFinal() && !example.holdout()) {
          any = true;
          teach(task, label, labels[i], weights[i]);
        }
      }
    }
    if (any) {
      network.learn(
          new Network.Targets(
              labels, weights, new float[batch.size()][width], new long[batch.size()]),
          settings.dense(),
          steps++,
          settings.seed());
    }
  }

  private void teach(int task, TaskLabel label, float[] labels, float[] weights) {
    boolean yes = label.value() > 0;
    boolean late = yes && label.delay() > tasks.get(task).waiting().toMillis();
    int head = headOf[task];
    labels[head + LATE] = late ? 1 : 0;
    weights[head + LATE] = 1;
    labels[head + STAYS] = yes ? 0 : 1;
    weights[head + STAYS] = yes && !late ? 0 : 1;
  }

  /** What is thought of an example of the last batch. */
  Estimates estimates(int example, int task, double prediction) {
    int head = headOf[task];
    return head < 0
        ? Estimates.notLate(prediction)
        : new Estimates(
            prediction, estimates[example][head + LATE], estimates[example][head + STAYS]);
  }

  void expire(long now) {
    network.expire(now);
  }

  void write(DataOutput out) throws IOException {
    out.writeLong(steps);
    network.write(out);
  }

  void read(DataInput in) throws IOException {
    steps = in.readLong();
    network.read(in);
  }

  @Override
  public void close() {
    network.close();
  }
}
