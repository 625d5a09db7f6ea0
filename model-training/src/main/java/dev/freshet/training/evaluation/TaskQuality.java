package dev.freshet.training.evaluation;

import dev.freshet.core.labels.Task;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Quality of one scorer, per task, by the task's kind. */
public final class TaskQuality {

  private static final List<String> BINARY =
      List.of(
          "auc",
          "prAuc",
          "logLoss",
          "normalizedEntropy",
          "calibration",
          "slope",
          "rate",
          "examples");
  private static final List<String> AMOUNT =
      List.of(
          "nrmse",
          "nmae",
          "gini",
          "spearman",
          "decileMape",
          "calibration",
          "mae",
          "rmse",
          "mean",
          "examples");

  private final List<Task> tasks;
  private final List<SlidingQuality<?>> quality = new ArrayList<>();

  public TaskQuality(List<Task> tasks, int window) {
    this.tasks = List.copyOf(tasks);
    for (Task task : tasks) {
      quality.add(
          task.binary()
              ? new SlidingQuality<>(BinaryQuality::new, window)
              : new SlidingQuality<>(AmountQuality::new, window));
    }
  }

  public void add(int task, double prediction, double label) {
    quality.get(task).add(prediction, label);
  }

  /**
   * What can be told of a task, in order: what is measured here, and of a yes or no the {@code
   * slope} of its shrinkage, which the trainer adds.
   */
  public static List<String> metrics(Task task) {
    return task.binary() ? BINARY : AMOUNT;
  }

  /** Task name to metric name to value. */
  public Map<String, Map<String, Double>> metrics() {
    Map<String, Map<String, Double>> metrics = new LinkedHashMap<>();
    for (int i = 0; i < tasks.size(); i++) {
      metrics.put(tasks.get(i).name(), quality.get(i).metrics());
    }
    return metrics;
  }

  public void write(DataOutput out) throws IOException {
    for (SlidingQuality<?> part : quality) {
      part.write(out);
    }
  }

  public void read(DataInput in) throws IOException {
    for (SlidingQuality<?> part : quality) {
      part.read(in);
    }
  }
}
