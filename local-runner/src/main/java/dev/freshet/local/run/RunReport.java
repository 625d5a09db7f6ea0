package dev.freshet.local.run;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.freshet.core.counts.CountPlan;
import dev.freshet.core.events.FieldCounts.Kind;
import dev.freshet.core.events.RejectReason;
import dev.freshet.core.labels.DeadlineUse;
import dev.freshet.core.labels.DropReason;
import dev.freshet.core.labels.Task;
import dev.freshet.core.models.ModelDefinition;
import dev.freshet.replica.ModelReplica;
import dev.freshet.training.LeftOutReason;
import dev.freshet.training.TrainingIncidents;
import dev.freshet.training.evaluation.QualityMetric;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The figures of a run as one JSON object: what {@code --json} prints as its last line. Keys are an
 * interface that people script against; {@code docs/command-line.md} describes them. A figure that
 * is not defined yet is left out.
 */
final class RunReport {

  private static final ObjectMapper JSON = new ObjectMapper();

  // Reasons that are no event's are told apart from those of events that were left out.
  private static final Set<String> REJECTED =
      Arrays.stream(RejectReason.values()).map(RejectReason::label).collect(Collectors.toSet());

  private static final Set<String> LEFT_OUT =
      Arrays.stream(LeftOutReason.values()).map(LeftOutReason::label).collect(Collectors.toSet());

  private RunReport() {}

  /**
   * @param truthKnown true if served scores are the truth, so that they tell the best possible
   */
  static ObjectNode of(Observer observer, double seconds, boolean truthKnown) throws Exception {
    ObjectNode report = JSON.createObjectNode();
    report.put("seconds", round(seconds));
    ObjectNode events = report.putObject("events");
    observer.events().forEach(events::put);
    Map<String, Long> letters = observer.deadLetters().byReason();
    reasons(report, letters);
    deadLetters(report, observer.deadLetters());
    report.put("late", letters.getOrDefault(DropReason.LATE.label(), 0L));
    report.put("orphaned", letters.getOrDefault(DropReason.ORPHANED.label(), 0L));
    report.put("skewed", observer.skewed());
    if (observer.skewed() > 0) {
      report.put("skewedSample", observer.skewedSample());
    }
    if (!observer.deadlines().isEmpty()) {
      report.set("deadlines", deadlines(observer.deadlines()));
    }
    report.put("duplicates", letters.getOrDefault(DropReason.DUPLICATE.label(), 0L));
    report.set("fields", fields(observer));
    long cut = observer.cutCrosses();
    if (cut > 0) {
      report.putObject("cutCrosses").put("count", cut).put("sample", observer.cutSample());
    }
    for (CountPlan.By by : observer.pipeline().counts().by()) {
      long late = observer.lateForCounts(by.field());
      if (late > 0) {
        report
            .withObject("/lateForCounts")
            .putObject(by.field())
            .put("count", late)
            .put("sample", observer.lateForCountsSample(by.field()));
      }
    }
    ObjectNode steps = JSON.createObjectNode();
    ObjectNode versions = JSON.createObjectNode();
    ObjectNode replicas = JSON.createObjectNode();
    ObjectNode quality = JSON.createObjectNode();
    ObjectNode refused = JSON.createObjectNode();
    ObjectNode learning = JSON.createObjectNode();
    long examples = 0;
    for (ModelDefinition model : observer.pipeline().models()) {
      String name = model.name();
      JsonNode metrics = observer.metrics(name);
      examples = Math.max(examples, metrics.path("examples").asLong());
      steps.put(name, metrics.path("steps").asLong());
      refused.set(name, refusals(metrics));
      learning.set(name, learning(metrics));
      ModelReplica replica = observer.replica(name);
      String version = replica.manifest().map(m -> m.version()).orElse("");
      versions.putObject(name).put("published", observer.versions(name)).put("last", version);
      ObjectNode of = replicas.putObject(name).put("version", version);
      if (!version.isEmpty()) {
        of.put("stalenessSeconds", round(replica.stalenessSeconds()));
        of.put("newestEventAgeSeconds", round(replica.newestEventAgeSeconds()));
      }
      of.put("predictions", replica.predictions());
      ObjectNode byTask = quality.putObject(name);
      for (Task task : observer.pipeline().tasks()) {
        byTask.set(task.name(), taskQuality(metrics, task, truthKnown));
      }
    }
    report.put("examples", examples);
    report.set("steps", steps);
    report.set("versions", versions);
    report.set("refused", refused);
    report.set("learning", learning);
    report.set("replica", replicas);
    report.set("quality", quality);
    return report;
  }

  /**
   * Counts of what is no event, of what is no part of a label, and of what taught a model nothing.
   */
  static void reasons(ObjectNode report, Map<String, Long> letters) {
    ObjectNode rejected = report.putObject("rejected");
    ObjectNode dropped = report.putObject("dropped");
    ObjectNode notLearnt = report.putObject("notLearnt");
    letters.forEach(
        (reason, count) ->
            (REJECTED.contains(reason) ? rejected : LEFT_OUT.contains(reason) ? notLearnt : dropped)
                .put(reason, count));
  }

  /** Adds what was left out, by kind and reason, and the first of each reason. */
  static void deadLetters(ObjectNode report, DeadLetters letters) {
    report.set("leftOut", JSON.valueToTree(letters.byKind()));
    report.set("orphanedBy", JSON.valueToTree(letters.orphans()));
    ObjectNode samples = report.putObject("samples");
    letters.samples().forEach((reason, s) -> samples.set(reason, sample(s)));
  }

  private static ObjectNode sample(DeadLetters.Sample sample) {
    ObjectNode json = JSON.createObjectNode().put("kind", sample.kind());
    if (!sample.topic().isEmpty()) {
      json.put("topic", sample.topic());
      json.put("partition", sample.partition()).put("offset", sample.offset());
    }
    return json.put("error", sample.error()).put("value", sample.value());
  }

  /** By task and use, with the first of those that are of no use. */
  static ObjectNode deadlines(Map<String, Map<DeadlineUse, Observer.DeadlineTold>> all) {
    ObjectNode deadlines = JSON.createObjectNode();
    all.forEach(
        (task, uses) -> {
          ObjectNode of = deadlines.putObject(task);
          uses.forEach((use, told) -> of.put(use.label(), told.count()));
          uses.forEach(
              (use, told) -> {
                if (use != DeadlineUse.USED) {
                  of.withObjectProperty("samples").put(use.label(), told.first());
                }
              });
        });
    return deadlines;
  }

  /** Counts of feature fields: the first model stands for all, which see the same. */
  private static ObjectNode fields(Observer observer) {
    ObjectNode fields = JSON.createObjectNode();
    JsonNode metrics = observer.metrics(observer.pipeline().models().get(0).name());
    metrics
        .path("fields")
        .properties()
        .forEach(field -> fields.set(field.getKey(), field.getValue().deepCopy()));
    observer
        .deadLetters()
        .byField()
        .forEach(
            (field, count) -> fields.withObjectProperty(field).put(Kind.WRONG_TYPE.label(), count));
    return fields;
  }

  private static ObjectNode refusals(JsonNode metrics) {
    ObjectNode refusals = JSON.createObjectNode();
    for (Map.Entry<String, JsonNode> reason : metrics.path("refused").properties()) {
      if (reason.getValue().asLong() > 0) {
        refusals.put(reason.getKey(), reason.getValue().asLong());
      }
    }
    refusals.put("forced", metrics.path("forced").asLong());
    if (metrics.has("lastRefusal")) {
      refusals.set("last", metrics.path("lastRefusal"));
    }
    return refusals;
  }

  private static ObjectNode learning(JsonNode metrics) {
    ObjectNode learning = JSON.createObjectNode();
    for (TrainingIncidents.Kind kind : TrainingIncidents.Kind.values()) {
      learning.put(kind.label(), metrics.path(kind.label()).asLong());
    }
    if (metrics.has("samples")) {
      learning.set("samples", metrics.path("samples"));
    }
    return learning;
  }

  static ObjectNode taskQuality(JsonNode metrics, Task task, boolean truthKnown) {
    ObjectNode quality = JSON.createObjectNode();
    JsonNode own = metrics.path("quality").path(task.name());
    JsonNode best = truthKnown ? metrics.path("served").path(task.name()) : JSON.missingNode();
    for (QualityMetric metric : QualityMetric.all(task.kind())) {
      put(quality, metric.key(), own.path(metric.key()));
      if (metric == QualityMetric.AUC) {
        put(quality, "bestAuc", best.path(metric.key()));
      } else if (metric == QualityMetric.LOG_LOSS) {
        put(quality, "bestLogLoss", best.path(metric.key()));
      }
    }
    // Without any there is no key of it in what the trainer tells.
    quality.put("examples", own.path("examples").asLong());
    return quality;
  }

  private static void put(ObjectNode node, String name, JsonNode value) {
    if (value.isNumber()) {
      node.put(name, round(value.asDouble()));
    }
  }

  static double round(double value) {
    // A large amount has no sixth decimal, and times a million no place in a long.
    return Math.abs(value) < 1e9 ? Math.round(value * 1e6) / 1e6 : value;
  }
}
