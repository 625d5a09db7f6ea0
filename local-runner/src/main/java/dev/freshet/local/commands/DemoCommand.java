package dev.freshet.local.commands;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.experiments.simulator.Simulator;
import dev.freshet.local.run.DemoRun;
import dev.freshet.server.options.DurationConverter;
import dev.freshet.server.options.PipelineOption;
import dev.freshet.server.options.Usage;
import dev.freshet.topics.PipelineSource;
import java.io.PrintStream;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "demo",
    description = {
      "Runs the whole loop on this machine: Kafka broker, Flink job with web UI, event simulator,"
          + " trainers, replicas.",
      "Ends after --for, or when --events impressions are learnt, or with Ctrl-C."
    },
    mixinStandardHelpOptions = true)
final class DemoCommand implements Callable<Integer> {

  @Option(
      names = "--pipeline",
      paramLabel = "FILE",
      description =
          "A pipeline of two binary tasks and an amount, on the simulator's features: user_id,"
              + " item_id, segment, category, hour, price, tags. Default: pipelines/shop.yaml.")
  private PipelineSource pipeline = PipelineOption.SHOP;

  @Option(
      names = "--for",
      paramLabel = "TIME",
      converter = DurationConverter.class,
      description = "How long to run, for example 60s or 5m.")
  private @Nullable Duration duration;

  @Option(
      names = "--events",
      paramLabel = "N",
      description = "Number of impressions; the run ends when all their labels are learnt.")
  private @Nullable Long events;

  @Mixin private SimulatorOptions simulator;

  @Mixin private RunOptions options;

  @Override
  public Integer call() throws Exception {
    if (events != null && events < 1) {
      throw new Usage("--events: '" + events + "'; allowed: 1 or more");
    }
    options.check();
    Pipeline read = PipelineOption.read(pipeline);
    PrintStream progress = options.progress();
    Simulator source;
    try {
      source = new Simulator(read, simulator.settings());
    } catch (IllegalArgumentException e) {
      throw new Usage("--pipeline: " + pipeline + ": " + e.getMessage());
    }
    long impressions = events == null ? Long.MAX_VALUE : events;
    int code =
        options.run(
            progress,
            read,
            true,
            (folder, end) ->
                new DemoRun(read, source, simulator.speed(), end, progress)
                    .run(options.settings(folder, true), duration, impressions));
    if (code == 0) {
      options.tellNext(progress);
    }
    return code;
  }
}
