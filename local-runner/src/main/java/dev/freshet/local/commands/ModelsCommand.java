package dev.freshet.local.commands;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.snapshot.Manifest;
import dev.freshet.replica.Versions;
import dev.freshet.replica.Versions.Whole;
import dev.freshet.server.options.PathOption;
import dev.freshet.server.options.TopicOptions;
import dev.freshet.topics.Brokers;
import dev.freshet.training.evaluation.QualityMetric;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
    name = "models",
    description = "Lists, follows and exports the versions on the model topic.",
    mixinStandardHelpOptions = true,
    subcommands = {
      ModelsCommand.ListCommand.class,
      ModelsCommand.FollowCommand.class,
      ModelsCommand.ExportCommand.class,
      HelpCommand.class
    })
final class ModelsCommand implements Callable<Integer> {

  private static final int COLUMNS = 80;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    throw new ParameterException(spec.commandLine(), "one of list, follow, export is missing");
  }

  private static void print(PrintWriter out, Manifest manifest) {
    out.printf(
        "%s %s %-5s  %s  %,d examples  %s%n",
        manifest.model(),
        manifest.version(),
        manifest.type(),
        size(manifest.bytes()),
        manifest.examples(),
        Instant.ofEpochMilli(manifest.publishedAt()).truncatedTo(ChronoUnit.SECONDS));
    manifest.quality().forEach((task, metrics) -> print(out, task, inOrder(metrics)));
    out.flush();
  }

  /** As reports have them: what is looked for first comes first. */
  private static Map<String, Double> inOrder(Map<String, Double> metrics) {
    Map<String, Double> ordered = new LinkedHashMap<>();
    for (QualityMetric metric : QualityMetric.values()) {
      if (metrics.containsKey(metric.key())) {
        ordered.put(metric.key(), metrics.get(metric.key()));
      }
    }
    ordered.putAll(metrics);
    return ordered;
  }

  /** Metrics of a task, in lines that fit a terminal. */
  private static void print(PrintWriter out, String task, Map<String, Double> metrics) {
    StringBuilder line = new StringBuilder("  " + task);
    for (Map.Entry<String, Double> metric : metrics.entrySet()) {
      String next = "  " + metric.getKey() + " " + number(metric.getValue());
      if (line.length() + next.length() > COLUMNS) {
        out.println(line);
        line = new StringBuilder("   ");
      }
      line.append(next);
    }
    out.println(line);
  }

  private static String number(double value) {
    return value == Math.rint(value) && Math.abs(value) < 1e15
        ? String.format("%,d", (long) value)
        : String.format("%.4g", value);
  }

  private static String size(long bytes) {
    return bytes < 1_000_000
        ? String.format("%.1f KB", bytes / 1e3)
        : String.format("%,.1f MB", bytes / 1e6);
  }

  /** Prints versions, once or for ever. */
  private abstract static class PrintCommand implements Callable<Integer> {
    @Mixin private TopicOptions topic;
    @Spec private CommandSpec spec;

    @Option(
        names = "--json",
        description = "Each version's manifest, a line of JSON each, for programs to read.")
    private boolean json;

    private final boolean goOn;

    PrintCommand(boolean goOn) {
      this.goOn = goOn;
    }

    @Override
    public Integer call() throws Exception {
      Pipeline pipeline = topic.pipeline();
      String model = topic.model(pipeline);
      Brokers.require(pipeline);
      Versions.read(pipeline, model, () -> goOn, version -> print(version.manifest()));
      return 0;
    }

    private void print(Manifest manifest) {
      PrintWriter out = spec.commandLine().getOut();
      if (json) {
        out.println(new String(manifest.toJson(), StandardCharsets.UTF_8));
        out.flush();
      } else {
        ModelsCommand.print(out, manifest);
      }
    }
  }

  @Command(
      name = "list",
      description = "The versions that are whole on the topic, oldest first.",
      mixinStandardHelpOptions = true)
  static final class ListCommand extends PrintCommand {
    ListCommand() {
      super(false);
    }
  }

  @Command(
      name = "follow",
      description = "As list, and goes on with every new version until Ctrl-C.",
      mixinStandardHelpOptions = true)
  static final class FollowCommand extends PrintCommand {
    FollowCommand() {
      super(true);
    }
  }

  @Command(
      name = "export",
      description =
          "Writes a version as one safetensors file of all weights, and its manifest beside it.")
  static final class ExportCommand implements Callable<Integer> {
    @Mixin private TopicOptions topic;
    @Mixin private VersionOption version;
    @Spec private CommandSpec spec;

    @Option(
        names = "--out",
        paramLabel = "FILE",
        required = true,
        description = "The file to write; the manifest becomes FILE.json.")
    private Path out;

    @Option(
        names = "--graph",
        paramLabel = "FILE",
        description =
            "Also writes the model as a TorchScript graph, which PyTorch and libtorch run in any"
                + " language; docs/serving.md says what it is handed.")
    private @Nullable Path graph;

    @Override
    public Integer call() throws Exception {
      PathOption.newFile("--out", out);
      if (graph != null) {
        PathOption.newFile("--graph", graph);
      }
      Pipeline pipeline = topic.pipeline();
      String model = topic.model(pipeline);
      Brokers.require(pipeline);
      Whole found =
          Versions.whole(pipeline, model, version.version())
              .orElseThrow(() -> version.notThere(model));
      Files.write(out, found.base().bytes());
      Path manifest = out.resolveSibling(out.getFileName() + ".json");
      Files.write(manifest, found.base().manifest().toJson());
      spec.commandLine().getOut().printf("%s and %s%n", out, manifest);
      if (graph != null) {
        Files.write(graph, found.graph());
        spec.commandLine().getOut().println(graph);
      }
      return 0;
    }
  }
}
