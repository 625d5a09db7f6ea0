package dev.freshet.local.commands;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.local.run.ReplayRun;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "replay",
    description = {
      "Learns from files of events: JSON lines, plain, .gz or .zip, in order of event time.",
      "Runs the same job as in production, on a broker of its own, to the end of the files."
    },
    mixinStandardHelpOptions = true)
final class ReplayCommand implements Callable<Integer> {

  @Option(names = "--pipeline", paramLabel = "FILE", required = true, description = "The pipeline.")
  private Path pipeline;

  @Option(
      names = "--impressions",
      paramLabel = "FILE",
      required = true,
      arity = "1..*",
      description = "Files of impressions.")
  private List<Path> impressions;

  @Option(
      names = "--feedback",
      paramLabel = "FILE",
      required = true,
      arity = "1..*",
      description = "Files of feedback; every line says its kind.")
  private List<Path> feedback;

  @Option(
      names = "--examples-out",
      paramLabel = "FILE",
      description = "Write the labelled examples here, as JSON lines.")
  private Path examples;

  @Mixin private RunOptions options;

  @Override
  public Integer call() throws Exception {
    impressions.forEach(PipelineOption::existing);
    feedback.forEach(PipelineOption::existing);
    Pipeline read = PipelineOption.read(pipeline);
    if (examples != null && read.examplesTopic() == null) {
      read = read.withExamplesTopic("examples");
    }
    PrintStream progress = options.json ? System.err : System.out;
    try (RunOptions.Folder folder = options.folder()) {
      ObjectNode report =
          new ReplayRun(read, options.settings(folder, false), progress)
              .run(impressions, feedback, examples);
      if (options.json) {
        System.out.println(report);
      }
    }
    return 0;
  }
}
