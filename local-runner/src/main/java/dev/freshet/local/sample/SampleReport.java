package dev.freshet.local.sample;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.freshet.core.features.FeatureField;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.settings.Durations;
import java.io.PrintWriter;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** What a pipeline makes of a sample of events. */
public final class SampleReport {

  private static final String NOT_USED = "not used";

  /** Fields beside those of the pipeline that the table has. */
  private static final int FEW_FIELDS = 8;

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String CATEGORICAL = "categorical";
  private static final double[] SHARES = {0.5, 0.9, 0.99};

  private final Pipeline pipeline;
  private final EventSample sample;
  private final List<TaskProfile> tasks;
  private final Findings findings;

  private SampleReport(Pipeline pipeline, EventSample sample) {
    this.pipeline = pipeline;
    this.sample = sample;
    tasks = TaskProfile.of(sample, pipeline.tasks());
    findings = Findings.of(pipeline, sample, tasks);
  }

  static SampleReport of(Pipeline pipeline, EventSample sample) {
    return new SampleReport(pipeline, sample);
  }

  /** True if there is nothing to be mended before a run. */
  public boolean clean() {
    return good() && findings.harmless();
  }

  /** True if a run with such events may be a success. */
  public boolean good() {
    return findings.problems().isEmpty();
  }

  /**
   * The files that hold impressions, or feedback; without layouts, which tell the two apart, those
   * that hold nothing else.
   */
  public List<String> files(boolean impressions) {
    boolean mixed = !pipeline.events().isEmpty();
    return sample.sources().stream()
        .filter(source -> impressions ? source.impressions() > 0 : !source.feedback().isEmpty())
        .filter(source -> mixed || source.impressions() == 0 || source.feedback().isEmpty())
        .map(SourceProfile::name)
        .toList();
  }

  /** Prints it, 78 columns wide. */
  public void print(PrintWriter out) {
    for (SourceProfile source : sample.sources()) {
      source(source, out);
    }
    if (sample.impressions() > 0) {
      out.printf(
          Locale.ROOT, "%n%,d impressions from %s to %s%n", sample.impressions(), time(0), time(1));
      fields(out);
      tasks(out);
    }
    section("What may be better", findings.advice(), out);
    section(
        "Problems",
        findings.problems().stream().map(one -> one.code() + ": " + one.message()).toList(),
        out);
    out.flush();
  }

  private Instant time(double share) {
    return Instant.ofEpochMilli((long) sample.times().quantile(share));
  }

  private static void section(String title, List<String> sentences, PrintWriter out) {
    if (!sentences.isEmpty()) {
      out.printf("%n%s%n", title);
      sentences.forEach(one -> SampleText.wrapped(one).forEach(out::println));
    }
  }

  static void source(SourceProfile source, PrintWriter out) {
    List<String> kinds = new ArrayList<>();
    if (source.impressions() > 0) {
      kinds.add("%,d impressions".formatted(source.impressions()));
    }
    source.feedback().forEach((kind, count) -> kinds.add("%,d %s".formatted(count, kind)));
    out.printf(
        Locale.ROOT,
        "%s: %s%,d messages: %s%s%n",
        source.name(),
        source.whole() ? "" : "the first ",
        source.messages(),
        kinds.isEmpty() ? "none of them an event" : String.join(", ", kinds),
        source.refused().isEmpty()
            ? ""
            : "; refused: " + SampleText.percent(source.allRefused(), source.messages()));
    if (source.allPassedOver() > 0) {
      out.printf(Locale.ROOT, "  passed over, as `events` says: %,d%n", source.allPassedOver());
    }
    source
        .refused()
        .forEach(
            (reason, refusals) -> {
              out.printf(Locale.ROOT, "  %s: %,d, the first at%n", reason, refusals.count());
              out.println("    " + SampleText.cut(refusals.sample(), 240));
            });
  }

  /** All that are in the pipeline and sent, then what else the impressions have. */
  private Map<String, String> kinds() {
    Map<String, String> kinds = new LinkedHashMap<>();
    for (FeatureField field : pipeline.features()) {
      if (field.expected()) {
        kinds.put(field.name(), field.kind().toString().toLowerCase(Locale.ROOT));
      }
    }
    Set<String> made =
        pipeline.features().stream().map(FeatureField::name).collect(Collectors.toSet());
    for (String name : sample.fields().keySet()) {
      if (!made.contains(name)) {
        kinds.put(name, NOT_USED);
      }
    }
    return kinds;
  }

  private void fields(PrintWriter out) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("field", "kind", "in", "values", "once", "most frequent", "median", "max"));
    Map<String, String> shown = kinds();
    List<String> others =
        shown.keySet().stream().filter(name -> NOT_USED.equals(shown.get(name))).toList();
    others.stream().skip(FEW_FIELDS).forEach(shown::remove);
    shown.forEach(
        (name, kind) -> {
          FieldProfile found = sample.fields().getOrDefault(name, new FieldProfile());
          boolean numeric =
              !kind.equals(CATEGORICAL) && found.isNumeric() && found.numbers().count() > 0;
          rows.add(
              List.of(
                  name,
                  kind,
                  SampleText.percent(found.there(), sample.impressions()),
                  String.format(Locale.ROOT, "%,d", found.distinct()),
                  SampleText.percent(found.once(), 1),
                  found.there() == 0
                      ? "-"
                      : SampleText.cut(found.top(), 10)
                          + " "
                          + SampleText.percent(found.topShare(), 1),
                  numeric ? SampleText.number(found.numbers().quantile(SHARES[0])) : "",
                  numeric ? SampleText.number(found.numbers().quantile(1)) : ""));
        });
    SampleText.table(rows).forEach(out::println);
    if (others.size() > FEW_FIELDS) {
      out.printf(Locale.ROOT, "  and %,d more that are not used%n", others.size() - FEW_FIELDS);
    }
  }

  private void tasks(PrintWriter out) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("task", "events", "joined", "rate", "p50", "p90", "p99", "window", "within"));
    for (TaskProfile of : tasks) {
      boolean any = of.delays().count() > 0;
      List<String> row = new ArrayList<>();
      row.add(of.task().name());
      row.add(String.format(Locale.ROOT, "%,d", of.events()));
      row.add(of.covered() == 0 ? "-" : SampleText.percent(of.joined(), of.covered()));
      row.add(SampleText.percent(of.impressions(), sample.impressions()));
      for (double share : SHARES) {
        row.add(any ? Spans.text(of.delays().quantile(share)) : "-");
      }
      row.add(Durations.written(of.task().window()));
      row.add(
          any ? SampleText.percent(of.within(pipeline.labels().clockSkew().toMillis()), 1) : "-");
      rows.add(row);
    }
    out.println();
    SampleText.table(rows).forEach(out::println);
  }

  /** The same as JSON. */
  public ObjectNode json() {
    ObjectNode root = JSON.createObjectNode().put("pipeline", pipeline.pipeline());
    ArrayNode sources = root.putArray("sources");
    for (SourceProfile source : sample.sources()) {
      ObjectNode one = sources.addObject().put("name", source.name());
      one.put("messages", source.messages()).put("whole", source.whole());
      one.put("passedOver", source.allPassedOver());
      one.put("impressions", source.impressions());
      one.set("feedback", JSON.valueToTree(source.feedback()));
      ObjectNode refused = one.putObject("refused");
      source
          .refused()
          .forEach(
              (reason, of) ->
                  refused.putObject(reason).put("count", of.count()).put("sample", of.sample()));
      Numbers behind = source.disorder().behind();
      if (behind.count() > 0) {
        one.putObject("behindMillis")
            .put("p999", behind.quantile(0.999))
            .put("most", behind.quantile(1));
      }
    }
    root.put("impressions", sample.impressions()).put("repeated", sample.repeatedImpressions());
    root.put("repeatedFeedback", sample.repeatedEvents());
    if (sample.impressions() > 0) {
      root.put("first", time(0).toEpochMilli()).put("last", time(1).toEpochMilli());
    }
    fields(root.putObject("fields"));
    tasks(root.putObject("tasks"));
    root.set("advice", JSON.valueToTree(findings.advice()));
    ArrayNode problems = root.putArray("problems");
    findings
        .problems()
        .forEach(one -> problems.addObject().put("code", one.code()).put("message", one.message()));
    return root;
  }

  private void fields(ObjectNode into) {
    kinds()
        .forEach(
            (name, kind) -> {
              FieldProfile found = sample.fields().getOrDefault(name, new FieldProfile());
              ObjectNode one = into.putObject(name).put("kind", kind);
              one.put("there", found.there()).put("values", found.values());
              one.put("distinct", found.distinct()).put("once", found.once());
              one.put("top", found.top()).put("topShare", found.topShare());
              if (found.isNumeric() && found.numbers().count() > 0) {
                one.put("least", found.numbers().quantile(0));
                one.put("median", found.numbers().quantile(SHARES[0]));
                one.put("most", found.numbers().quantile(1));
              }
            });
  }

  private void tasks(ObjectNode into) {
    for (TaskProfile of : tasks) {
      ObjectNode one = into.putObject(of.task().name()).put("events", of.events());
      one.put("covered", of.covered()).put("joined", of.joined());
      one.put("impressions", of.impressions());
      one.put("withoutParent", of.withoutParent()).put("beforeParent", of.beforeParent());
      if (of.delays().count() > 0) {
        ObjectNode delays = one.putObject("delayMillis");
        for (double share : SHARES) {
          delays.put("p" + Math.round(100 * share), of.delays().quantile(share));
        }
        delays.put("most", of.delays().quantile(1));
        one.put("withinWindow", of.within(pipeline.labels().clockSkew().toMillis()));
      }
      if (of.amounts().count() > 0) {
        one.putObject("amount")
            .put("least", of.amounts().quantile(0))
            .put("median", of.amounts().quantile(SHARES[0]))
            .put("most", of.amounts().quantile(1));
      }
    }
  }
}
