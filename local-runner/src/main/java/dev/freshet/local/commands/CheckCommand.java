package dev.freshet.local.commands;

import static java.util.Objects.requireNonNull;

import dev.freshet.core.models.ModelDefinition;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.core.pipeline.SystemTopic;
import dev.freshet.local.sample.DraftLayout;
import dev.freshet.local.sample.NothingFoundException;
import dev.freshet.local.sample.SampleReport;
import dev.freshet.local.sample.Sampling;
import dev.freshet.server.options.PathOption;
import dev.freshet.server.options.PipelineOption;
import dev.freshet.server.options.Usage;
import dev.freshet.topics.Brokers;
import dev.freshet.topics.ClientProperties;
import dev.freshet.topics.PipelineSource;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
    name = "check",
    description = {
      "Checks a pipeline file and reports everything that is wrong with it.",
      "With --events also what it makes of a sample of events; with --write it makes a first"
          + " pipeline file for them."
    },
    mixinStandardHelpOptions = true)
final class CheckCommand implements Callable<Integer> {

  private static final int NO_SUCCESS = 3;
  private static final String ALL_TOPICS = "topics";

  @Parameters(
      paramLabel = "FILE",
      arity = "0..1",
      description = "The pipeline file, or its http(s) address; not with --write.")
  private @Nullable PipelineSource file;

  @Option(
      names = "--events",
      paramLabel = "FILE|TOPIC",
      arity = "1..*",
      description =
          "Events to look at: files of JSON lines, CSV, TSV or Parquet, folders of them, topics, or `topics` for all of the pipeline's. Impressions and"
              + " feedback may be in one.")
  private List<String> events = List.of();

  @Option(
      names = "--bootstrap",
      paramLabel = "HOST:PORT",
      description = "Kafka brokers of the topics, instead of the pipeline's.")
  private @Nullable String bootstrap;

  @Option(
      names = "--sample",
      paramLabel = "N",
      defaultValue = "200000",
      description = "Messages of each file or topic that are read. Default: ${DEFAULT-VALUE}.")
  private long most;

  @Option(
      names = "--write",
      paramLabel = "FILE",
      description = "Make a first pipeline file for the events, and check it.")
  private @Nullable Path write;

  @Option(
      names = "--layout",
      paramLabel = "FILE",
      description = "With --write: a file of `events:` alone, for events in a layout of your own.")
  private @Nullable Path layout;

  @Option(names = "--json", description = "Print what was found in the events as JSON.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws Exception {
    checkOptions();
    try {
      return check();
    } catch (NothingFoundException e) {
      throw new Usage("--events: " + e.getMessage());
    }
  }

  private int check() throws Exception {
    PrintWriter out = spec.commandLine().getOut();
    Pipeline pipeline;
    if (write != null) {
      pipeline = write(write);
      if (!json) {
        out.printf("%s is written. What it makes of the events:%n%n", write);
      }
    } else {
      pipeline = PipelineOption.read("FILE", requireNonNull(file), bootstrap);
      if (!json) {
        valid(pipeline, out);
      }
    }
    if (events.isEmpty()) {
      return 0;
    }
    if (write == null && !json) {
      out.println();
    }
    ClientProperties.resolve(pipeline);
    Sampling sampling = sampling(pipeline);
    SampleReport report = sampling.report(pipeline);
    if (json) {
      out.println(report.json());
    } else {
      report.print(out);
      if (write != null && report.clean()) {
        next(sampling, report, out);
      } else if (write != null) {
        out.printf("%nMend this first. Comments in %s say what was left out.%n", write);
      }
    }
    out.flush();
    return report.good() ? 0 : NO_SUCCESS;
  }

  private void checkOptions() {
    if (file == null && write == null) {
      String last = events.isEmpty() ? "" : events.get(events.size() - 1);
      throw new Usage(
          "a pipeline FILE is missing"
              + (last.matches("(?i).*\\.ya?ml")
                  ? ": is it '" + last + "'? It stands before --events"
                  : "; to have one made: --events FILE... --write FILE"));
    }
    if (file != null && write != null) {
      throw new Usage(
          "--write: a pipeline file is given too, '" + file + "'; allowed: one of the two");
    }
    if (events.isEmpty() && (write != null || json || bootstrap != null)) {
      throw new Usage("--events is missing: which files or topics?");
    }
    if (layout != null) {
      if (write == null) {
        throw new Usage("--layout: '" + layout + "'; allowed: with --write alone");
      }
      PathOption.file("--layout", layout);
    }
    if (most < 1) {
      throw new Usage("--sample: '" + most + "'; allowed: 1 or more");
    }
    if (write != null) {
      PathOption.newFile("--write", write);
      if (Files.exists(write)) {
        throw new Usage("--write: '" + write + "' is there already; allowed: a new file");
      }
    }
  }

  private void next(Sampling sampling, SampleReport report, PrintWriter out) {
    List<String> impressions = report.files(true);
    List<String> feedback = report.files(false);
    if (sampling.topics().isEmpty()
        && Stream.concat(impressions.stream(), feedback.stream()).distinct().count()
            == sampling.files().size()) {
      out.printf(
          "%nTo learn from them:%n  ./freshet replay --pipeline %s \\%n    --impressions %s \\%n"
              + "    --feedback %s%n",
          write, String.join(" ", impressions), String.join(" ", feedback));
    } else if (sampling.files().isEmpty()) {
      out.printf(
          "%nNext: ./freshet topics create --pipeline %s makes the topics that are missing%n",
          write);
    }
  }

  private void valid(Pipeline pipeline, PrintWriter out) {
    long made = pipeline.schema().fields().stream().filter(field -> !field.expected()).count();
    out.printf(
        "%s: pipeline %s is valid: %d tasks, %d fields (%d of them made of others or counted), models %s%n",
        file,
        pipeline.pipeline(),
        pipeline.tasks().size(),
        pipeline.schema().fields().size(),
        made,
        pipeline.models().stream().map(ModelDefinition::name).toList());
    out.flush();
  }

  private Pipeline write(Path to) throws IOException, InterruptedException {
    String name = name(to);
    Pipeline brokers = bootstrap == null ? null : PipelineOption.onBrokers(bare(name), bootstrap);
    DraftLayout lies =
        layout == null
            ? DraftLayout.NONE
            : DraftLayout.of(Files.readString(layout), layout.toString());
    String text = sampling(brokers).draft(name, lies, brokers);
    Pipeline made = PipelineFile.parse(text, "the pipeline file that would be written");
    Files.writeString(to, text, StandardCharsets.UTF_8);
    return made;
  }

  /** A pipeline for its brokers alone. */
  private static Pipeline bare(String name) {
    return PipelineFile.parse(
        "pipeline: "
            + name
            + "\ntasks: [{name: t, kind: binary, window: 1m}]"
            + "\nfeatures: [{name: f, kind: categorical}]"
            + "\nmodels: [{name: main, kind: shared-bottom}]\n",
        name);
  }

  /** The file's, as far as a pipeline may be called so. */
  private static String name(Path file) {
    String plain =
        String.valueOf(file.getFileName())
            .toLowerCase(Locale.ROOT)
            .replaceFirst("\\.ya?ml$", "")
            .replaceAll("[^a-z0-9-]+", "-")
            .replaceAll("^[^a-z]+|-+$", "");
    return plain.isEmpty() ? "mine" : plain;
  }

  private Sampling sampling(@Nullable Pipeline brokers) throws InterruptedException {
    List<Path> files = new ArrayList<>();
    List<String> topics = new ArrayList<>();
    for (String one : events) {
      Path path = Path.of(one);
      if (one.equals(ALL_TOPICS) && write == null && brokers != null) {
        topics.add(brokers.topic(SystemTopic.IMPRESSIONS));
        topics.addAll(brokers.feedbackTopics().keySet());
      } else if (Files.exists(path)) {
        files.addAll(PathOption.files("--events", List.of(path)));
      } else if (one.contains("/")
          || one.matches("(?i).*\\.(jsonl?|gz|zip|ndjson|[ct]sv|parquet)")) {
        throw new Usage("--events: '" + one + "': no such file");
      } else if (brokers == null) {
        throw new Usage(
            "--events: '" + one + "': no such file; if it is a topic, --bootstrap says where");
      } else {
        topics.add(one);
      }
    }
    if (!topics.isEmpty()) {
      Brokers.require(requireNonNull(brokers));
    }
    return new Sampling(files, topics, most);
  }
}
