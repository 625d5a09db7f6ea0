package dev.freshet.local.commands;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.freshet.core.events.EventFormat;
import dev.freshet.core.events.FieldCounts;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.Parsed;
import dev.freshet.core.events.Rejection;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.local.replay.Lines;
import dev.freshet.local.run.Verdict;
import dev.freshet.replica.ModelReplica;
import dev.freshet.replica.Prediction;
import dev.freshet.topics.Brokers;
import java.io.BufferedReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
    name = "predict",
    description = {
      "Scores impressions with the newest version on the model topic.",
      "Writes one JSON object a line: impression_id, version, scores."
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
      description = "Impressions as JSON lines, plain, .gz or .zip.")
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
    EventFormat format =
        pipeline.kafka().format().create(pipeline.impressionFields(), pipeline.feedbackKinds());
    try (ModelReplica replica = ModelReplica.follow(pipeline, model);
        BufferedReader lines = Lines.open(impressions)) {
      if (!replica.awaitVersion(wait)) {
        throw new Usage("no version of model " + model + ": " + replica.state().detail());
      }
      List<Impression> batch = new ArrayList<>();
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        add(format, line, batch);
        if (batch.size() == BATCH) {
          score(replica, batch);
        }
      }
      score(replica, batch);
    }
    return told(format.fieldCounts());
  }

  /** Tells what was left out, and what is wrong with the rest; returns the exit code. */
  private int told(FieldCounts fields) {
    PrintWriter err = spec.commandLine().getErr();
    rejected.forEach(
        (reason, count) ->
            err.printf(
                "%,d lines were no impressions: %s%n    the first: %s%n",
                count, reason, samples.get(reason)));
    long lines = accepted + rejected.values().stream().mapToLong(Long::longValue).sum();
    List<String> problems = new ArrayList<>();
    if (lines == 0) {
      problems.add("there were no impressions");
    } else if (accepted == 0 || accepted < minAccepted * lines) {
      problems.add(
          "only %,d of %,d lines were scored; --min-accepted is %s"
              .formatted(accepted, lines, minAccepted));
    }
    for (int field = 0; field < fields.fields().size(); field++) {
      if (fields.impressions() > 0
          && fields.count(field, FieldCounts.Kind.ABSENT) == fields.impressions()) {
        problems.add(
            "field %s is absent in all %,d impressions"
                .formatted(fields.fields().get(field), fields.impressions()));
      }
    }
    problems.forEach(problem -> err.println("Problem: " + problem));
    err.flush();
    return problems.isEmpty() ? 0 : Verdict.CODE;
  }

  private void add(EventFormat format, String line, List<Impression> batch) {
    if (line.isBlank()) {
      return;
    }
    Parsed<Impression> parsed = format.impression(line.getBytes(StandardCharsets.UTF_8));
    if (parsed.event() != null) {
      batch.add(parsed.event());
      accepted++;
    } else {
      rejected.merge(parsed.rejection().reason().label(), 1L, Long::sum);
      samples.putIfAbsent(parsed.rejection().reason().label(), parsed.rejection());
    }
  }

  private void score(ModelReplica replica, List<Impression> batch) {
    if (batch.isEmpty()) {
      return;
    }
    PrintWriter out = spec.commandLine().getOut();
    List<Prediction> predictions = replica.predict(batch);
    for (int i = 0; i < batch.size(); i++) {
      ObjectNode json = JSON.createObjectNode().put("impression_id", batch.get(i).id());
      json.put("version", predictions.get(i).version());
      ObjectNode scores = json.putObject("scores");
      predictions.get(i).scores().forEach(scores::put);
      out.println(json);
    }
    out.flush();
    batch.clear();
  }
}
