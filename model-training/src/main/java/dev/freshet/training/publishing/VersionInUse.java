package dev.freshet.training.publishing;

import static java.util.Objects.requireNonNull;

import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.labels.Task;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.network.ServedScale;
import dev.freshet.training.ModelTrainer;
import dev.freshet.training.ScoredExample;
import dev.freshet.training.evaluation.Quality;
import dev.freshet.training.evaluation.QualityMetric;
import dev.freshet.training.evaluation.TaskQuality;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * An announced version, kept to be compared with the weights that training has made of it since, on
 * the same labels: those that became final after it. Neither side has learnt a label that it is
 * judged by, and of other labels of the same impression neither knows more than the other: where
 * the version cannot have learnt any, what counts of the training is what it predicted before it
 * did, elsewhere what it predicted just before the label; of labels that were only scored it said
 * nothing, and neither side is judged by them.
 *
 * <p>What it costs: a copy of the dense weights, of each row that has changed, and the newest
 * examples of which it has not said yet what it thinks. Nothing of it is in a checkpoint: after a
 * restore the version is the restored weights.
 */
final class VersionInUse {

  /** Labels of a task, and of its rarer outcome, without which nobody can tell. */
  private static final int FEWEST_LABELS = 1000;

  private static final int FEWEST_OUTCOMES = 20;

  private static final int WINDOW = 20_000;
  private static final int UNSEEN = 8192;
  private static final int BATCH = 1024;

  private final ModelTrainer trainer;
  private final List<Task> tasks;
  private final ServedScale scale;
  private final ArrayDeque<Scored> unseen = new ArrayDeque<>();
  private final TaskQuality own;
  private final TaskQuality training;
  private final long[] labels;
  private final long[] outcomes;

  private final long step;

  private record Scored(EncodedExample example, double[] predicted) {}

  /** The weights as they are now are in use. */
  VersionInUse(ModelTrainer trainer) {
    this.trainer = trainer;
    tasks = trainer.context().tasks();
    scale = trainer.served();
    step = trainer.steps();
    own = new TaskQuality(tasks, WINDOW);
    training = new TaskQuality(tasks, WINDOW);
    labels = new long[tasks.size()];
    outcomes = new long[tasks.size()];
    trainer.learner().keep();
  }

  /** The training predicted this before it learnt from it. */
  void scored(ScoredExample scored) {
    double[] now = scored.now();
    if (now == null || TaskLabel.noneOf(scored.example().labels())) {
      return;
    }
    if (unseen.size() == UNSEEN) {
      unseen.removeFirst();
    }
    boolean unknown = scored.step() >= step;
    unseen.addLast(new Scored(scored.example(), unknown ? scored.first() : now));
  }

  /** Says of every example so far what this version thinks; the trainer must be idle. */
  private void look() {
    while (!unseen.isEmpty()) {
      List<Scored> batch = new ArrayList<>();
      while (batch.size() < BATCH && !unseen.isEmpty()) {
        batch.add(unseen.removeFirst());
      }
      float[][] said =
          trainer.learner().predictAsKept(batch.stream().map(Scored::example).toList());
      for (int i = 0; i < said.length; i++) {
        look(batch.get(i), scale.served(said[i]));
      }
    }
  }

  private void look(Scored scored, double[] predicted) {
    for (int task = 0; task < tasks.size(); task++) {
      TaskLabel label = scored.example.labels()[task];
      boolean amount = !tasks.get(task).binary();
      boolean said = Double.isFinite(scored.predicted[task]);
      if (!label.isFinal() || !said || amount && !requireNonNull(scale.amounts()).ready()) {
        continue;
      }
      // One range for both, or they would not be judged by the same label.
      double value = amount ? requireNonNull(trainer.amounts()).clip(label.value()) : label.value();
      own.add(task, predicted[task], value);
      training.add(task, scored.predicted[task], value);
      labels[task]++;
      outcomes[task] += value != 0 ? 1 : 0;
    }
  }

  private boolean tellable(int task) {
    long rarer = Math.min(outcomes[task], labels[task] - outcomes[task]);
    return labels[task] >= FEWEST_LABELS
        && (tasks.get(task).binary() ? rarer : outcomes[task]) >= FEWEST_OUTCOMES;
  }

  /** True if there are labels enough to tell for every task, or so many that there never will. */
  boolean judged() {
    look();
    boolean all = true;
    for (int task = 0; task < tasks.size(); task++) {
      all &= tellable(task) || labels[task] >= WINDOW;
    }
    return all;
  }

  /**
   * The first task for which training has become worse than this version.
   *
   * @param by share by which its normalised entropy or NRMSE may be larger
   */
  Optional<String> worse(double by) {
    look();
    Quality then = own.quality();
    Quality now = training.quality();
    for (int task = 0; task < tasks.size(); task++) {
      String name = tasks.get(task).name();
      QualityMetric metric = QualityMetric.judging(tasks.get(task).kind());
      double before = then.value(name, metric);
      double after = now.value(name, metric);
      // Neither is larger where one of them is not defined.
      if (tellable(task) && after > before * (1 + by)) {
        return Optional.of(
            name
                + "'s "
                + metric.key()
                + " is "
                + after
                + ", that of the version in use is "
                + before
                + " on the same "
                + Math.min(labels[task], WINDOW)
                + " labels");
      }
    }
    return Optional.empty();
  }
}
