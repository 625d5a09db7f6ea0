package dev.freshet.local.commands;

import static java.util.Objects.requireNonNull;

import dev.freshet.experiments.Tuning;
import dev.freshet.local.run.FileCheck;
import dev.freshet.local.run.Verdict;
import dev.freshet.local.signals.EndRequest;
import dev.freshet.server.options.PathOption;
import dev.freshet.server.options.Usage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
    name = "tune",
    description = {
      "Looks for settings that suit your own events: model kind, crosses, correction, amounts, batch, rates,"
          + " dimensions.",
      "Many candidates learn some of the events, the best of them more; each is judged by"
          + " predictions made when impressions came. Writes a pipeline file and says what each"
          + " choice brings. Needs no Kafka. Ctrl-C writes the best so far."
    },
    mixinStandardHelpOptions = true)
final class TuneCommand implements Callable<Integer> {

  @Option(
      names = "--pipeline",
      paramLabel = "FILE",
      required = true,
      description = "The pipeline; the first of its models is tuned.")
  private Path pipeline;

  @Option(
      names = "--impressions",
      paramLabel = "FILE",
      arity = "1..*",
      required = true,
      description = "Files of impressions, or folders of them: JSON lines, CSV, TSV or Parquet.")
  private List<Path> impressions;

  @Option(
      names = "--feedback",
      paramLabel = "FILE",
      arity = "1..*",
      required = true,
      description =
          "Files of feedback, or folders of them; with several tasks every line says its kind.")
  private List<Path> feedback;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      description = "The tuned pipeline file. Default: NAME-tuned.yaml, where it was called.")
  private @Nullable Path out;

  @Option(
      names = "--task",
      paramLabel = "NAME",
      description = "Judge by this task alone; may be repeated. Default: all tasks alike.")
  private List<String> tasks = new ArrayList<>();

  @Option(
      names = "--candidates",
      paramLabel = "N",
      defaultValue = "27",
      description = "How many to begin with. Default: ${DEFAULT-VALUE}.")
  private int candidates;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Candidates that learn at a time. Default: the number of cores.")
  private int threads = Runtime.getRuntime().availableProcessors();

  @Option(
      names = "--seed",
      paramLabel = "S",
      defaultValue = "1",
      description = "Equal seeds try the same. Default: ${DEFAULT-VALUE}.")
  private long seed;

  @Override
  public Integer call() throws Exception {
    check(candidates, 2, "--candidates");
    check(threads, 1, "--threads");
    PathOption.file("--pipeline", pipeline);
    impressions = PathOption.files("--impressions", impressions);
    feedback = PathOption.files("--feedback", feedback);
    Path to = out == null ? Path.of(tuned(pipeline.getFileName().toString())) : out;
    writable(to);
    try (EndRequest end = EndRequest.listen(System.out)) {
      // Not while files are read: an interrupt would close them.
      Tuning tuning = tuning();
      FileCheck.require(tuning.pipeline(), paths(impressions), paths(feedback), System.out);
      tuning.look();
      end.interruptsMe(true);
      boolean done = tuning.run();
      end.interruptsMe(false);
      if (!tuning.found()) {
        System.err.println(
            done
                ? "Problem: nothing is written: " + tuning.why()
                : "Nothing was found yet, and nothing is written");
        return end.made() ? end.exitCode() : Verdict.CODE;
      }
      tuning.write(to);
      System.out.println();
      tuning.report().forEach(System.out::println);
      System.out.printf("%n%s%s is written%n", done ? "" : "Stopped early; ", to);
      return end.made() ? end.exitCode() : 0;
    }
  }

  private static List<String> paths(List<Path> files) {
    return files.stream().map(Path::toString).toList();
  }

  private Tuning tuning() throws IOException {
    try {
      return new Tuning(
          new Tuning.Settings(
              pipeline, paths(impressions), paths(feedback), tasks, candidates, threads, seed),
          System.out,
          System.console() != null);
    } catch (IllegalArgumentException e) {
      throw new Usage(requireNonNull(e.getMessage()));
    }
  }

  private static void check(int value, int least, String option) {
    if (value < least) {
      throw new Usage(option + ": '" + value + "'; allowed: " + least + " or more");
    }
  }

  private static String tuned(String name) {
    int dot = name.lastIndexOf('.');
    return (dot < 0 ? name : name.substring(0, dot)) + "-tuned.yaml";
  }

  /** Minutes of work should not end at a file that cannot be written. */
  private static void writable(Path to) {
    PathOption.newFile("--out", to);
    if (Files.exists(to)) {
      throw new Usage("--out: " + to + " exists already; allowed: a new file");
    }
  }
}
