package dev.freshet.local.run;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.freshet.core.labels.DeadlineUse;
import dev.freshet.core.labels.DropReason;
import dev.freshet.core.labels.Task;
import dev.freshet.core.models.ModelDefinition;
import dev.freshet.core.pipeline.Pipeline;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * Judges the final figures of a run that has ended: what makes it no success although nothing
 * failed. Looks at nothing but the figures, so that a run which ended earlier is judged alike.
 */
public final class Verdict {

  /** Exit code of a run that ended, and whose result should not be used as it is. */
  public static final int CODE = 3;

  /**
   * Faults that are put up with.
   *
   * @param minAccepted share of the impressions, and of the feedback, that has to be accepted
   * @param late true if impressions may be late
   */
  public record Tolerance(double minAccepted, boolean late) {}

  /**
   * A fault of a run.
   *
   * @param code for scripts
   * @param text for people: counts and one sample
   */
  public record Problem(String code, String text) {}

  private final JsonNode report;
  // A replay's last files; what was wrong with earlier ones was told then, and hides nothing now.
  private final JsonNode latest;
  private final Pipeline pipeline;
  private final Tolerance tolerance;
  private final List<Problem> problems = new ArrayList<>();

  private Verdict(JsonNode report, Pipeline pipeline, Tolerance tolerance) {
    this.report = report;
    latest = report.path("latest").has("leftOut") ? report.path("latest") : report;
    this.pipeline = pipeline;
    this.tolerance = tolerance;
  }

  /** Everything that is wrong, and notes it in the report under {@code problems}. */
  public static List<Problem> of(ObjectNode report, Pipeline pipeline, Tolerance tolerance) {
    Verdict verdict = new Verdict(report, pipeline, tolerance);
    // A run that somebody ended early, or that never began, is not judged.
    String ended = report.path("ended").asText();
    if (ended.equals("learnt") || ended.equals("time-over")) {
      verdict.impressions();
      verdict.fields();
      verdict.deadlines();
      verdict.feedback();
      verdict.versions();
    }
    ArrayNode all = report.putArray("problems");
    verdict.problems.forEach(p -> all.addObject().put("code", p.code()).put("text", p.text()));
    return verdict.problems;
  }

  private void impressions() {
    long sent =
        latest.path("inputs").has("impressions")
            ? latest.path("inputs").path("impressions").asLong()
            : report.path("events").path(DeadLetters.IMPRESSION).asLong();
    if (sent == 0) {
      if (learntBefore() == 0) {
        problem("no-impressions", "there were no impressions" + notSent());
      }
      return;
    }
    Map<String, Long> leftOut = leftOut(DeadLetters.IMPRESSION);
    leftOut.remove(DropReason.DUPLICATE.label());
    accepted("impressions", sent, leftOut);
    long late = leftOut.getOrDefault(DropReason.LATE.label(), 0L);
    // The simulator sends late events on purpose; files hold what they hold, and are read in order.
    if (report.has("inputs") && late > 0 && !tolerance.late()) {
      problem(
          "late-impressions",
          line("%,d of %,d impressions were late", late, sent)
              + sample(DropReason.LATE.label())
              + "; files must be in the order of event time, up to labels.disorder;"
              + " --allow-late puts up with it");
    }
  }

  /** Lines that were passed over, because an earlier replay had them. */
  private long learntBefore() {
    long all = 0;
    for (JsonNode count : latest.path("inputs").path("alreadyLearnt")) {
      all += count.asLong();
    }
    return all;
  }

  private String notSent() {
    long tooLong = latest.path("inputs").path("tooLong").asLong();
    long passedOver = latest.path("inputs").path("passedOver").asLong();
    return (tooLong == 0 ? "" : line("; %,d lines were too long to be sent", tooLong))
        + (passedOver == 0
            ? ""
            : line("; %,d were passed over, as `events` of the pipeline says", passedOver));
  }

  private void accepted(String what, long sent, Map<String, Long> refused) {
    long lost = refused.values().stream().mapToLong(Long::longValue).sum();
    long left = Math.max(0, sent - lost);
    if (left == 0 || left < tolerance.minAccepted() * sent) {
      StringBuilder text =
          new StringBuilder(
              left == 0
                  ? line("none of %,d %s", sent, what)
                  : line("only %,d of %,d %s", left, sent, what));
      text.append(left == 0 ? " was accepted" : " were accepted");
      refused.forEach(
          (reason, count) -> text.append(line("; %s %,d", reason, count)).append(sample(reason)));
      if (left > 0) {
        text.append(line("; --min-accepted is %s", tolerance.minAccepted()));
      }
      problem("not-accepted", text.toString());
    }
  }

  private void fields() {
    JsonNode inputs = latest.path("inputs");
    long sent = inputs.path("impressions").asLong();
    List<String> absent = new ArrayList<>();
    for (Map.Entry<String, JsonNode> field : inputs.path("absent").properties()) {
      if (sent > 0 && field.getValue().asLong() >= sent) {
        absent.add(field.getKey());
      }
    }
    if (absent.isEmpty()) {
      return;
    }
    List<String> has = new ArrayList<>();
    inputs.path("fields").forEach(name -> has.add(name.asText()));
    List<String> others = has.stream().filter(name -> !inputs.path("absent").has(name)).toList();
    problem(
        "absent-field",
        (absent.size() == 1 ? "field " : "fields ")
            + FileCheck.hinted(absent, others)
            + (absent.size() == 1 ? " is" : " are")
            + line(" absent in all %,d impressions; the first ", sent)
            + (has.isEmpty() ? "has none" : "has " + String.join(", ", has)));
  }

  /** Where no impression says when its window ends, all labels come at the window's own end. */
  private void deadlines() {
    for (Map.Entry<String, JsonNode> task : report.path("deadlines").properties()) {
      long bad = 0;
      boolean good = false;
      StringBuilder text = new StringBuilder();
      for (DeadlineUse use : DeadlineUse.values()) {
        long count = task.getValue().path(use.label()).asLong();
        good |= use.good() && count > 0;
        if (count > 0) {
          bad += count;
          String first = task.getValue().path("samples").path(use.label()).asText();
          text.append(line("; %s %,d (%s)", use.label(), count, first));
        }
      }
      if (bad > 0 && !good) {
        problem(
            "no-deadline",
            line("none of %,d impressions has a deadline for task %s", bad, task.getKey()) + text);
      }
    }
  }

  private void feedback() {
    Map<String, Long> sent = new TreeMap<>();
    long all = 0;
    JsonNode inputs = latest.path("inputs");
    JsonNode counts = report.has("inputs") ? inputs.path("feedback") : report.path("events");
    for (Map.Entry<String, JsonNode> e : counts.properties()) {
      if (!e.getKey().equals(DeadLetters.IMPRESSION)) {
        sent.put(e.getKey(), e.getValue().asLong());
        all += e.getValue().asLong();
      }
    }
    if (all == 0) {
      if (learntBefore() == 0) {
        problem("no-feedback", "there was no feedback" + notSent());
      }
      return;
    }
    Map<String, Long> refused = new TreeMap<>();
    Map<String, Long> lost = new TreeMap<>();
    long joined = 0;
    for (Map.Entry<String, Long> e : sent.entrySet()) {
      Map<String, Long> leftOut = leftOut(e.getKey());
      leftOut.forEach(
          (reason, count) ->
              (report.path("rejected").has(reason) ? refused : lost)
                  .merge(reason, count, Long::sum));
      leftOut.remove(DropReason.DUPLICATE.label());
      joined += Math.max(0, e.getValue() - sum(leftOut));
    }
    accepted("feedback events", all, refused);
    if (joined == 0 && sum(refused) < all) {
      lost.remove(DropReason.DUPLICATE.label());
      long early = latest.path("orphanedBy").path("before-parent").asLong();
      StringBuilder text =
          new StringBuilder(
              early == 0
                  ? "no feedback found its impression"
                  : line(
                      "no feedback counts, and %,d events are by their clock before their impression"
                          + " or what else they follow from",
                      early));
      long late = inputs.path("afterLearnt").asLong();
      if (late > 0) {
        text.append(
            line("; that of %,d events had been learnt before they were given: too late", late));
      }
      if (late < sum(lost)) {
        lost.forEach(
            (reason, count) -> text.append(line("; %s %,d", reason, count)).append(sample(reason)));
      }
      problem("nothing-joined", text.toString());
      return;
    }
    if (report.has("inputs") && inputs.path("impressions").asLong() == 0) {
      return; // Nothing was there that could have got one.
    }
    for (Task task : pipeline.tasks()) {
      if (pipeline.feedbackTopics().get(pipeline.topic(task)) == null && !report.has("inputs")) {
        continue; // Its topic is shared; nobody has counted what is whose.
      }
      Map<String, Long> leftOut = leftOut(task.name());
      leftOut.remove(DropReason.DUPLICATE.label());
      long events = sent.getOrDefault(task.name(), 0L);
      if (events - sum(leftOut) <= 0) {
        StringBuilder text = new StringBuilder(line("task %s got no label: ", task.name()));
        text.append(
            events == 0 ? "there is no feedback of this kind" : line("of its %,d events", events));
        leftOut.forEach(
            (reason, count) -> text.append(line(" %s %,d", reason, count)).append(sample(reason)));
        problem("no-label", text.toString());
      }
    }
  }

  private void versions() {
    for (ModelDefinition model : pipeline.models()) {
      if (report.path("versions").path(model.name()).path("published").asLong() == 0) {
        problem("no-version", "no version of model " + model.name() + " was published");
      }
    }
  }

  private Map<String, Long> leftOut(String kind) {
    Map<String, Long> counts = new TreeMap<>();
    latest
        .path("leftOut")
        .path(kind)
        .properties()
        .forEach(e -> counts.put(e.getKey(), e.getValue().asLong()));
    return counts;
  }

  private static long sum(Map<String, Long> counts) {
    return counts.values().stream().mapToLong(Long::longValue).sum();
  }

  private String sample(String reason) {
    JsonNode first = latest.path("samples").path(reason);
    if (first.isMissingNode()) {
      return "";
    }
    String error = first.path("error").asText();
    String why = error.startsWith(reason + ": ") ? error.substring(reason.length() + 2) : error;
    return " (" + why + ")";
  }

  private void problem(String code, String text) {
    problems.add(new Problem(code, text));
  }

  private static String line(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }
}
