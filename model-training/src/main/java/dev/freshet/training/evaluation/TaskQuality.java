package dev.freshet.training.evaluation;

import dev.freshet.core.labels.Task;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Quality of one scorer, per task. */
public final class TaskQuality {

  private final List<Task> tasks;
  private final List<SlidingQuality> quality = new ArrayList<>();

  public TaskQuality(List<Task> tasks, int window) {
    this.tasks = List.copyOf(tasks);
    tasks.forEach(task -> quality.add(new SlidingQuality(task.kind(), window)));
  }

  public void add(int task, double prediction, double label) {
    quality.get(task).add(prediction, label);
  }

  /** As {@link #add}, of a label that is scored at the base rate. */
  public void addAtBaseRate(int task, double prediction, double label) {
    quality.get(task).addAtBaseRate(prediction, label);
  }

  public Quality quality() {
    Map<String, Map<QualityMetric, Double>> byTask = new LinkedHashMap<>();
    for (int i = 0; i < tasks.size(); i++) {
      byTask.put(tasks.get(i).name(), quality.get(i).metrics());
    }
    return new Quality(byTask);
  }

  public void write(DataOutput out) throws IOException {
    for (SlidingQuality part : quality) {
      part.write(out);
    }
  }

  /**
   * @param named true if statistics have names, as from version 13 of a trainer's snapshot
   */
  public void read(DataInput in, boolean named) throws IOException {
    for (SlidingQuality part : quality) {
      part.read(in, named);
    }
  }
}
