package dev.freshet.local.commands;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.local.run.ReplayRun;
import dev.freshet.server.options.PathOption;
import dev.freshet.server.options.PipelineOption;
import dev.freshet.topics.PipelineSource;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "replay",
    description = {
      "Learns from files of events in order of event time: JSON lines, CSV, TSV (each plain, gzipped"
          + " or zipped) or Parquet.",
      "Runs the same job as in production, on a broker of its own, to the end of the files."
    },
    mixinStandardHelpOptions = true)
final class ReplayCommand implements Callable<Integer> {

  @Option(
      names = "--pipeline",
      paramLabel = "FILE",
      required = true,
      description = "The pipeline, or its http(s) address.")
  private PipelineSource pipeline;

  @Option(
      names = "--impressions",
      paramLabel = "FILE",
      required = true,
      arity = "1..*",
      description = "Files of impressions, or folders of such files.")
  private List<Path> impressions;

  @Option(
      names = "--feedback",
      paramLabel = "FILE",
      required = true,
      arity = "1..*",
      description =
          "Files of feedback, or folders of them; every line says its kind. They may be those of"
              + " --impressions, where `events` of the pipeline tells which line is what.")
  private List<Path> feedback;

  @Option(
      names = "--examples-out",
      paramLabel = "FILE",
      description = "Write the labelled examples here, as JSON lines.")
  private @Nullable Path examples;

  @Option(
      names = "--allow-late",
      description =
          "Impressions that are late, for files out of order, do not make the exit code 3.")
  private boolean late;

  @Mixin private RunOptions options;

  @Override
  public Integer call() throws Exception {
    List<Path> shown = PathOption.files("--impressions", impressions);
    List<Path> answered = PathOption.files("--feedback", feedback);
    if (examples != null) {
      PathOption.newFile("--examples-out", examples);
    }
    options.check();
    Pipeline file = PipelineOption.read(pipeline);
    Pipeline read =
        examples != null && file.examplesTopic() == null
            ? file.withExamplesTopic("examples")
            : file;
    PrintStream progress = options.progress();
    int code =
        options.run(
            progress,
            read,
            late,
            (folder, end) ->
                new ReplayRun(read, options.settings(folder, false), end, progress)
                    .run(shown, answered, examples));
    if (code == 0) {
      options.tellNext(progress);
    }
    return code;
  }
}
