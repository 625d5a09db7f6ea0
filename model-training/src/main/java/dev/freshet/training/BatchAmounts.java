package dev.freshet.training;

import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.labels.correction.NegativeSampling;
import dev.freshet.core.network.AmountScale;
import dev.freshet.core.network.ModelContext;
import dev.freshet.training.TrainingIncidents.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The amounts of the core task in a batch: what they say of their scale, and their range. */
final class BatchAmounts {

  private final ModelContext context;
  private final int core;
  private final BatchTargets targets;
  private final NegativeSampling sampling;
  private final TrainingIncidents incidents;

  BatchAmounts(
      ModelContext context,
      BatchTargets targets,
      NegativeSampling sampling,
      TrainingIncidents incidents) {
    this.context = context;
    core = context.core();
    this.targets = targets;
    this.sampling = sampling;
    this.incidents = incidents;
  }

  /** The scale after the amounts that a batch teaches. */
  TargetScale seen(List<EncodedExample> batch, TargetScale scale) {
    TargetScale next = scale.copy();
    for (EncodedExample example : batch) {
      if (targets.importance(example, core) > 0) {
        double value = example.labels()[core].value();
        next.see(
            value, sampling.amountWeight(value, example.id()) * targets.unreachedWeight(example));
      }
    }
    next.refresh();
    return next;
  }

  /** The same examples with amounts that are in the plausible range. */
  List<EncodedExample> plausible(List<EncodedExample> batch, AmountScale amounts) {
    List<EncodedExample> plausible = new ArrayList<>(batch);
    for (int i = 0; i < batch.size(); i++) {
      EncodedExample example = batch.get(i);
      TaskLabel label = example.labels()[core];
      double clipped = amounts.clip(label.value());
      if (label.present() && clipped != label.value()) {
        incidents.add(Kind.CLIPPED, 1);
        incidents.sample(
            Kind.CLIPPED,
            String.format(
                Locale.ROOT,
                "task %s, impression %s: %s is learnt as %s",
                context.tasks().get(core).name(),
                example.name(),
                label.value(),
                clipped));
        TaskLabel[] labels = example.labels().clone();
        labels[core] = label.withValue(clipped);
        plausible.set(i, example.withLabels(labels));
      }
    }
    return plausible;
  }

  /**
   * Tells the scale of final amounts and of what was predicted for them before this batch was
   * learnt.
   *
   * @param before by which was predicted
   */
  void compare(
      List<EncodedExample> batch, float[][] predictions, AmountScale before, TargetScale next) {
    for (int i = 0; before.ready() && i < predictions.length; i++) {
      EncodedExample example = batch.get(i);
      TaskLabel label = example.labels()[core];
      if (label.isFinal() && !example.holdout() && Float.isFinite(predictions[i][core])) {
        double weight = targets.unreachedWeight(example);
        next.compare(before.plain(predictions[i][core]), label.value(), weight);
      }
    }
    next.refresh();
  }
}
