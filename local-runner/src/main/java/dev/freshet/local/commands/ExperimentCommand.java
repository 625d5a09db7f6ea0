package dev.freshet.local.commands;

import dev.freshet.local.experiment.ExperimentFile;
import dev.freshet.local.experiment.ExperimentRun;
import dev.freshet.local.experiment.Results;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.concurrent.Callable;
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
      description = "Folder of the results. Default: .freshet/experiments/NAME.")
  private Path folder;

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
    PipelineOption.existing(file);
    if (threads < 1) {
      throw new Usage("--threads: '" + threads + "'; allowed: 1 or more");
    }
    ExperimentFile read = ExperimentFile.read(file);
    PrintStream out = System.out;
    Path into = folder == null ? home(read.experiment().experiment()) : folder;
    Results results = new ExperimentRun(read, threads, out, writeExamples ? into : null).run();
    results.write(into);
    out.printf("%n%s%nresults.csv, tables.md and charts.png are in %s%n", results.tables(), into);
    return 0;
  }

  private static Path home(String experiment) {
    return Path.of(System.getProperty("freshet.home", "."), ".freshet", "experiments", experiment);
  }
}
