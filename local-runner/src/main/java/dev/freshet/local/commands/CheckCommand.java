package dev.freshet.local.commands;

import dev.freshet.core.models.ModelDefinition;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.server.options.PipelineOption;
import dev.freshet.topics.PipelineSource;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
    name = "check",
    description = "Checks a pipeline file and reports everything that is wrong with it.",
    mixinStandardHelpOptions = true)
final class CheckCommand implements Callable<Integer> {

  @Parameters(paramLabel = "FILE", description = "The pipeline file, or its http(s) address.")
  private PipelineSource file;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws Exception {
    Pipeline pipeline = PipelineOption.read("FILE", file);
    long made = pipeline.schema().fields().stream().filter(f -> !f.sent() || f.counted()).count();
    PrintWriter out = spec.commandLine().getOut();
    out.printf(
        "%s: pipeline %s is valid: %d tasks, %d fields (%d of them made of others or counted), models %s%n",
        file,
        pipeline.pipeline(),
        pipeline.tasks().size(),
        pipeline.schema().fields().size(),
        made,
        pipeline.models().stream().map(ModelDefinition::name).toList());
    return 0;
  }
}
