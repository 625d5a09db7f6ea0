package dev.freshet.local.commands;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TrainingSettings.Scoring;
import dev.freshet.experiments.ExperimentFile;
import dev.freshet.experiments.ExperimentRun;
import dev.freshet.experiments.FileData;
import dev.freshet.experiments.Results;
import dev.freshet.local.run.FileCheck;
import dev.freshet.local.run.Verdict;
import dev.freshet.server.options.PathOption;
import dev.freshet.server.options.Usage;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
    name = "experiment",
    description = {
      "Trains several models over several seeds on the same examples, in one process without Kafka.",
      "Prints means with standard errors and differences paired by seed; writes them as CSV,"
          + " Markdown and charts."
    },
    mixinStandardHelpOptions = true)
final class ExperimentCommand implements Callable<Integer> {

  @Option(
      names = "--file",
      paramLabel = "FILE",
      required = true,
      description = "The experiment; see experiments/.")
  private Path file;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "Folder of the results. Default: experiments/NAME in the folder .freshet.")
  private @Nullable Path folder;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Models trained at a time. Default: the number of cores.")
  private int threads = Runtime.getRuntime().availableProcessors();

  @Option(
      names = "--write-examples",
      description = {
        "Also writes what other learners need to be compared: the examples in the order in which"
            + " they are learnt, every prediction that is scored, and runs.json."
      })
  private boolean writeExamples;

  @Override
  public Integer call() throws Exception {
    PathOption.file("--file", file);
    if (folder != null) {
      PathOption.folder("--out", folder);
    }
    if (threads < 1) {
      throw new Usage("--threads: '" + threads + "'; allowed: 1 or more");
    }
    ExperimentFile read = ExperimentFile.read(file);
    PrintStream out = System.out;
    checkFiles(read, out);
    tellMoments(read, out);
    Path into = folder == null ? home(read.experiment().experiment()) : folder;
    Results results = new ExperimentRun(read, threads, out, writeExamples ? into : null).run();
    results.write(into);
    out.printf("%n%s%n", results.tables());
    if (!results.learnt()) {
      System.err.printf(
          "Problem: every trial diverged, there is nothing to compare; see %s%n", into);
      return Verdict.CODE;
    }
    out.printf("results.csv, tables.md and charts.png are in %s%n", into);
    return 0;
  }

  /** Scores of predictions at the label and at the impression are no measure of one another. */
  private static void tellMoments(ExperimentFile file, PrintStream out) {
    Map<Scoring.At, Set<String>> names = new EnumMap<>(Scoring.At.class);
    for (ExperimentFile.Case one : file.cases()) {
      names
          .computeIfAbsent(one.pipeline().training().scoring().at(), at -> new TreeSet<>())
          .add(one.name() == null ? "all" : one.name());
    }
    names.forEach(
        (at, rows) ->
            out.printf(
                "Scored are predictions of the moment of the %s%s%n",
                at == Scoring.At.LABEL ? "label" : "impression",
                names.size() == 1 ? "" : ": " + String.join(", ", rows)));
    if (names.size() > 1) {
      out.println(
          "Rows of different moments are not to be compared: training.scoring.at sets one for all");
    }
  }

  private static void checkFiles(ExperimentFile file, PrintStream out) {
    Set<String> missing = new LinkedHashSet<>();
    for (ExperimentFile.Case one : file.cases()) {
      if (one.data() instanceof FileData files) {
        missing.addAll(files.missing());
      }
    }
    if (!missing.isEmpty()) {
      throw new Usage(String.join("\n", missing));
    }
    Set<Object> checked = new HashSet<>();
    for (ExperimentFile.Case one : file.cases()) {
      Pipeline pipeline = one.pipeline();
      if (one.data() instanceof FileData files
          && checked.add(List.of(files, pipeline.features(), pipeline.tasks()))) {
        FileCheck.require(pipeline, files.impressions(), files.feedback(), out);
      }
    }
  }

  private static Path home(String experiment) {
    return Path.of(System.getProperty("freshet.home", "."), ".freshet", "experiments", experiment);
  }
}
