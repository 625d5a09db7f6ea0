package dev.freshet.experiments;

import static dev.freshet.core.settings.InvalidValueException.check;

import dev.freshet.core.settings.Option;
import java.io.Serializable;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** An experiment file, without the pipeline that it names. */
public record Experiment(
    @Option("Name of the experiment; its results go into a folder of this name") String experiment,
    @Option("Where the examples come from") DataSource data,
    @Option(value = "Seeds of start weights, noise, and simulated examples", fallback = "1, 2, 3")
        List<Integer> seeds,
    @Option(
            value = "Row that the others are compared with, seed by seed; by default the last",
            fallback = Option.ABSENT)
        @Nullable String baseline,
    @Option("Metrics to tell, as `task.metric`; the CSV file has all") List<String> metrics,
    @Option("Where each row stands between a floor and a ceiling") Relative relative) {

  /** Asks for a table of {@code (row - floor) / (ceiling - floor)}, seed by seed. */
  public record Relative(
      @Option(value = "Row that stands for 1", fallback = Option.ABSENT) @Nullable String ceiling,
      @Option(value = "Rows that stand for 0, a table for each", fallback = "") List<String> floors,
      @Option(value = "Metrics for which; by default those of the experiment", fallback = "")
          List<String> metrics)
      implements Serializable {

    public Relative {
      floors = List.copyOf(floors);
      metrics = List.copyOf(metrics);
      check(floors.isEmpty() || ceiling != null, "ceiling", null, "a row, if there are floors");
    }
  }

  public Experiment {
    seeds = List.copyOf(seeds);
    metrics = List.copyOf(metrics);
    check(
        experiment.matches("[a-z][a-z0-9-]{0,62}"),
        "experiment",
        experiment,
        "lower-case letters, digits and -");
    check(!seeds.isEmpty(), "seeds", "[]", "at least one seed");
    check(seeds.stream().distinct().count() == seeds.size(), "seeds", seeds, "different seeds");
    check(!metrics.isEmpty(), "metrics", "[]", "at least one metric");
  }
}
