package dev.freshet.local.experiment;

import static dev.freshet.core.settings.InvalidValueException.check;

import dev.freshet.core.settings.Option;
import java.util.List;

/** An experiment file, without the pipeline that it names. */
public record Experiment(
    @Option("Name of the experiment; its results go into a folder of this name") String experiment,
    @Option("Where the examples come from") DataSource data,
    @Option(value = "Seeds of start weights, noise, and simulated examples", fallback = "1, 2, 3")
        List<Integer> seeds,
    @Option(
            value = "How often each model sees the examples; scored at the last pass",
            fallback = "1")
        int passes,
    @Option(
            value = "Model that the others are compared with, seed by seed; by default the last",
            fallback = Option.ABSENT)
        String baseline,
    @Option("Metrics to tell, as `task.metric`; the CSV file has all") List<String> metrics) {

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
    check(passes >= 1 && passes <= 1000, "passes", passes, "1 to 1000");
    check(!metrics.isEmpty(), "metrics", "[]", "at least one metric");
  }
}
