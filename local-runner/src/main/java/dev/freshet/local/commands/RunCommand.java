package dev.freshet.local.commands;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.settings.InvalidValueException;
import dev.freshet.local.run.KafkaRun;
import dev.freshet.server.options.DurationConverter;
import dev.freshet.server.options.Usage;
import dev.freshet.topics.Brokers;
import dev.freshet.topics.ClientProperties;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "run",
    description = {
      "Learns from your own Kafka, on this machine: the job with its Flink and web UI in this"
          + " process, its state in --data-dir.",
      "Ends after --for, or with Ctrl-C; started again it goes on where it was. `topics create` makes"
          + " the topics that are missing."
    },
    mixinStandardHelpOptions = true)
final class RunCommand implements Callable<Integer> {

  @Mixin private TopicsCommand.Where where;

  @Option(
      names = "--from",
      paramLabel = "START",
      description =
          "Where to begin without a checkpoint: earliest, latest, or a time such as"
              + " 2026-01-31T00:00:00Z. Default: the pipeline's `kafka.start`.")
  private @Nullable String from;

  @Option(
      names = "--for",
      paramLabel = "TIME",
      converter = DurationConverter.class,
      description = "How long to run, for example 60s or 5m.")
  private @Nullable Duration duration;

  @Mixin private RunOptions options;

  @Override
  public Integer call() throws Exception {
    options.check();
    if (options.dataDir == null) {
      throw new Usage("--data-dir is missing: what is learnt has to stay somewhere");
    }
    Pipeline read = pipeline();
    ClientProperties.resolve(read);
    Brokers.require(read);
    PrintStream progress = options.progress();
    return options.run(
        progress,
        read,
        true,
        (folder, end) ->
            new KafkaRun(read, end, progress).run(options.lastingSettings(folder), duration));
  }

  private Pipeline pipeline() throws IOException {
    Pipeline read = where.pipeline();
    try {
      return from == null ? read : read.withStart(from);
    } catch (InvalidValueException e) {
      throw new Usage("--from: '" + from + "'; allowed: " + e.allowed());
    }
  }
}
