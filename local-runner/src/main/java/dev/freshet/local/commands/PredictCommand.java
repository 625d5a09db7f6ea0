package dev.freshet.local.commands;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.freshet.core.events.FieldCounts;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.Parsed;
import dev.freshet.core.events.Rejection;
import dev.freshet.core.events.mapping.MessageReader;
import dev.freshet.core.features.FeatureField;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.experiments.files.EventLine;
import dev.freshet.experiments.files.EventLines;
import dev.freshet.local.run.Verdict;
import dev.freshet.replica.ModelReplica;
import dev.freshet.replica.Prediction;
import dev.freshet.server.options.DurationConverter;
import dev.freshet.server.options.PathOption;
import dev.freshet.server.options.TopicOptions;
import dev.freshet.server.options.Usage;
import dev.freshet.topics.Brokers;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
    name = "predict",
    description = {
      "Scores impressions with the newest version on the model topic.",
      "Writes one JSON object a line: impression_id, version, scores and, where the model does not"
          + " know all of the impression, warnings as `serve` has them."
    },
    mixinStandardHelpOptions = true)
final class PredictCommand implements Callable<Integer> {

  private static final int BATCH = 256;
  private static final ObjectMapper JSON = new ObjectMapper();

  @Mixin private TopicOptions topic;
  @Spec private CommandSpec spec;

  @Option(
      names = "--impressions",
      paramLabel = "FILE",
      required = true,
      description =
          "Impressions as JSON lines, CSV, TSV (each plain, gzipped or zipped) or Parquet.")
  private Path impressions;

  @Option(
      names = "--wait",
      paramLabel = "TIME",
      defaultValue = "30s",
      converter = DurationConverter.class,
      description = "How long to wait for a version. Default: ${DEFAULT-VALUE}.")
  private Duration wait;

  @Option(
      names = "--min-accepted",
      paramLabel = "SHARE",
      defaultValue = "0.5",
      description =
          "Share of the lines that has to be impressions; with less the exit code is 3. Default:"
              + " ${DEFAULT-VALUE}.")
  private double minAccepted;

  private long accepted;
  private long passedOver;
  private final Map<String, Long> rejected = new TreeMap<>();
  private final Map<String, Rejection> samples = new TreeMap<>();

  @Override
  public Integer call() throws Exception {
    PathOption.file("--impressions", impressions);
    if (!(minAccepted >= 0 && minAccepted <= 1)) {
      throw new Usage("--min-accepted: '" + minAccepted + "'; allowed: 0 to 1");
    }
    Pipeline pipeline = topic.pipeline();
    String model = topic.model(pipeline);
    Brokers.require(pipeline);
    MessageReader reader = pipeline.lines();
    try (ModelReplica replica = ModelReplica.follow(pipeline, model);
        EventLines lines = EventLines.open(impressions)) {
      if (!replica.awaitVersion(wait)) {
        throw new Usage("no version of model " + model + ": " + replica.state().detail());
      }
      List<Impression> batch = new ArrayList<>();
      for (EventLine line = lines.next(); line != null; line = lines.next()) {
        add(reader, line.bytes(), batch);
        if (batch.size() >= BATCH) {
          score(replica, batch);
        }
      }
      score(replica, batch);
    }
    Set<String> counted =
        pipeline.features().stream()
            .filter(FeatureField::counted)
            .map(FeatureField::name)
            .collect(Collectors.toSet());
    return told(reader.fieldCounts(), counted);
  }

  /** Tells what was left out, and what is wrong with the rest; returns the exit code. */
  private int told(FieldCounts fields, Set<String> counted) {
    PrintWriter err = spec.commandLine().getErr();
    rejected.forEach(
        (reason, count) ->
            err.printf(
                "%,d lines were no impressions: %s%n    the first: %s%n",
                count, reason, samples.get(reason)));
    if (passedOver > 0) {
      err.printf("%,d lines were passed over, as `events` of the pipeline says%n", passedOver);
    }
    long lines = accepted + rejected.values().stream().mapToLong(Long::longValue).sum();
    List<String> problems = new ArrayList<>();
    if (lines == 0) {
      problems.add("there were no impressions");
    } else if (accepted == 0 || accepted < minAccepted * lines) {
      problems.add(
          "only %,d of %,d lines were scored; --min-accepted is %s"
              .formatted(accepted, lines, minAccepted));
    }
    List<String> warnings = new ArrayList<>();
    absent(fields, counted, problems, warnings);
    warnings.forEach(warning -> err.println("Warning: " + warning));
    problems.forEach(problem -> err.println("Problem: " + problem));
    err.flush();
    return problems.isEmpty() ? 0 : Verdict.CODE;
  }

  /** Fields that no impression has: mostly a matter of names, but of counts none has to be sent. */
  static void absent(
      FieldCounts fields, Set<String> counted, List<String> problems, List<String> warnings) {
    for (int field = 0; field < fields.fields().size(); field++) {
      String name = fields.fields().get(field);
      if (fields.impressions() == 0
          || fields.count(field, FieldCounts.Kind.ABSENT) < fields.impressions()) {
        continue;
      }
      String told = "field %s is absent in all %,d impressions";
      if (counted.contains(name)) {
        warnings.add(
            told.formatted(name, fields.impressions())
                + ": it is a count of the stream, which a request has to bring"
                + " (docs/features.md#counts-of-the-stream)");
      } else {
        problems.add(told.formatted(name, fields.impressions()));
      }
    }
  }

  private void add(MessageReader reader, byte[] line, List<Impression> batch) {
    List<Parsed<Impression>> found = reader.impressions(line);
    if (found.isEmpty()) {
      passedOver++;
    }
    for (Parsed<Impression> parsed : found) {
      if (parsed.event() != null) {
        batch.add(parsed.event());
        accepted++;
      } else {
        Rejection why = requireNonNull(parsed.rejection());
        rejected.merge(why.reason().label(), 1L, Long::sum);
        samples.putIfAbsent(why.reason().label(), why);
      }
    }
  }

  static ObjectNode line(Impression impression, Prediction prediction) {
    ObjectNode json = JSON.createObjectNode().put("impression_id", impression.id());
    json.put("version", prediction.version());
    ObjectNode scores = json.putObject("scores");
    prediction.scores().forEach(scores::put);
    prediction
        .warnings()
        .forEach((kind, names) -> names.forEach(json.withObject("/warnings").withArray(kind)::add));
    return json;
  }

  private void score(ModelReplica replica, List<Impression> batch) {
    if (batch.isEmpty()) {
      return;
    }
    PrintWriter out = spec.commandLine().getOut();
    List<Prediction> predictions = replica.predict(batch);
    for (int i = 0; i < batch.size(); i++) {
      out.println(line(batch.get(i), predictions.get(i)));
    }
    out.flush();
    batch.clear();
  }
}
