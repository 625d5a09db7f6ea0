package dev.freshet.experiments;

import dev.freshet.core.labels.Task;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.settings.Nearest;
import dev.freshet.core.settings.Problems;
import dev.freshet.training.evaluation.QualityMetric;
import dev.freshet.training.evaluation.ValueQuality;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/** Names that the metrics of {@link Trial}s can have, before any is run. */
final class TrialMetrics {

  /** By group of users, of which an experiment may have any number. */
  private static final Pattern BY_GROUP = Pattern.compile("(relatedness|agreement)\\.\\d+");

  private TrialMetrics() {}

  /** All but those by group. */
  static Set<String> names(Pipeline pipeline) {
    Set<String> names = new TreeSet<>(Set.of("chain.violations", "relatedness.separation"));
    boolean watched = pipeline.training().scoring().watch().field() != null;
    for (int i = 0; i < pipeline.tasks().size(); i++) {
      Task task = pipeline.tasks().get(i);
      QualityMetric.all(task.kind()).forEach(metric -> names.add(task.name() + "." + metric.key()));
      if (task.binary() && i > 0) {
        names.add(task.name() + ".reachedAuc");
      }
      if (task.binary() && watched) {
        ValueQuality.metricNames().forEach(metric -> names.add(task.name() + "." + metric));
      }
    }
    return names;
  }

  /** Of the same task, or what there are of tasks. */
  private static String allowed(String metric, Set<String> names) {
    String of = metric.substring(0, metric.indexOf('.') + 1);
    List<String> same = names.stream().filter(name -> name.startsWith(of)).toList();
    if (!of.isEmpty() && !same.isEmpty()) {
      List<String> ends = same.stream().map(name -> name.substring(of.length())).toList();
      return "of "
          + of.substring(0, of.length() - 1)
          + ": "
          + String.join(", ", ends)
          + Nearest.of(metric.substring(of.length()), ends)
              .map(end -> "; did you mean '" + of + end + "'?")
              .orElse("");
    }
    Set<String> starts = new TreeSet<>();
    names.forEach(name -> starts.add(name.substring(0, name.indexOf('.'))));
    return "`of.metric`, of one of " + String.join(", ", starts) + Nearest.hint(metric, names);
  }

  /** Adds those of {@code asked} that no trial of these pipelines can have. */
  static void check(String key, List<String> asked, List<Pipeline> pipelines, Problems problems) {
    Set<String> names = new TreeSet<>();
    pipelines.forEach(pipeline -> names.addAll(names(pipeline)));
    for (String metric : asked) {
      if (!names.contains(metric) && !BY_GROUP.matcher(metric).matches()) {
        problems.add(key, metric, allowed(metric, names));
      }
    }
  }
}
