package dev.freshet.local.sample;

import dev.freshet.core.features.FeatureField;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.settings.Durations;
import dev.freshet.core.settings.Nearest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** What is wrong between a pipeline and a sample, and what could be better. */
final class Findings {

  /**
   * One of them.
   *
   * @param code as replays tell it
   */
  record Problem(String code, String message) {}

  private static final double NEARLY_ALL = 0.98;
  private static final double HALF = 0.5;
  private static final double SOME = 0.01;
  private static final double ALWAYS = 0.9999;
  private static final int MANY = 1000;
  private static final double WINDOW_SPARE = 10;
  private static final double SPANS = 3;
  private static final double FAR = 1000;
  private static final double REST_OF_AMOUNTS = 0.99;
  private static final double REST_OF_TIMES = 0.999;
  private static final long DAY = 86_400_000;

  private final Pipeline pipeline;
  private final EventSample sample;
  private final List<TaskProfile> tasks;
  private final List<Problem> problems = new ArrayList<>();
  private final List<String> advice = new ArrayList<>();

  /** Fields of the impressions that may be meant by one of the pipeline. */
  private final Set<String> meant = new HashSet<>();

  private Findings(Pipeline pipeline, EventSample sample, List<TaskProfile> tasks) {
    this.pipeline = pipeline;
    this.sample = sample;
    this.tasks = tasks;
  }

  static Findings of(Pipeline pipeline, EventSample sample, List<TaskProfile> tasks) {
    Findings findings = new Findings(pipeline, sample, tasks);
    findings.messages();
    if (sample.impressions() > 0) {
      findings.fields();
      findings.others();
      findings.tasks();
      findings.order();
    }
    return findings;
  }

  /** Why a run with these events would be no success; none if it may be one. */
  List<Problem> problems() {
    return problems;
  }

  /** What may be better, a sentence each. */
  List<String> advice() {
    return advice;
  }

  private void messages() {
    if (sample.impressions() == 0) {
      problem("no-impressions", "no message is an impression that is accepted");
    } else if (sample.events().isEmpty()) {
      problem("no-feedback", "no message is feedback that is accepted");
    }
    for (SourceProfile source : sample.sources()) {
      if (source.messages() > 0 && source.allRefused() > HALF * source.messages()) {
        problem(
            "not-accepted",
            "%s: %s of its %,d messages are refused",
            source.name(),
            percent(source.allRefused(), source.messages()),
            source.messages());
      }
    }
  }

  private void fields() {
    Set<String> there = sample.fields().keySet();
    List<String> absent = new ArrayList<>();
    for (FeatureField field : pipeline.features()) {
      FieldProfile found = sample.fields().get(field.name());
      if (!field.sent() || field.counted()) {
        continue;
      }
      if (found == null || found.there() == 0) {
        absent.add(field.name() + Nearest.aside(field.name(), there));
        Nearest.of(field.name(), there).ifPresent(meant::add);
      } else {
        field(field, found);
      }
    }
    if (!absent.isEmpty()) {
      problem("absent-field", "in no impression: %s", String.join(", ", absent));
    }
  }

  private void field(FeatureField field, FieldProfile found) {
    String name = field.name();
    if (found.topShare() >= ALWAYS && found.there() > ALWAYS * sample.impressions()) {
      advise("%s is always '%s': nothing can be learnt from it", name, cut(found.top()));
    } else if (field.kind() == FeatureField.Kind.CATEGORICAL) {
      names(field, found);
    } else if (found.texts() > 0) {
      advise("%s: %s of its numbers are texts; they are read", name, share(found.texts(), found));
    }
    if (field.kind() == FeatureField.Kind.NUMERIC && field.to() != null && field.from() != null) {
      double inside =
          found.numbers().upTo(field.to()) - found.numbers().upTo(Math.nextDown(field.from()));
      if (inside < NEARLY_ALL) {
        advise(
            "%s: %s of its numbers are not between `from` %s and `to` %s (they are from %s to %s);"
                + " without both, buckets are learnt from the stream",
            name,
            percent(1 - inside, 1),
            field.from(),
            field.to(),
            SampleText.number(found.numbers().quantile(0)),
            SampleText.number(found.numbers().quantile(1)));
      }
    }
  }

  private void names(FeatureField field, FieldProfile found) {
    if (found.values() < MANY) {
      return;
    }
    if (found.distinct() == found.values()) {
      advise("%s has a new value in each impression: nothing can be learnt from it", field.name());
    } else if (field.admitAfter() == 1
        && field.rowsOf() == null
        && found.distinct() > MANY
        && found.once() > HALF) {
      advise(
          "%s: %s of its %,d values came once; with `admit-after: 2` these take no row",
          field.name(), percent(found.once(), 1), found.distinct());
    } else if (found.isNumeric() && !found.isWhole() && !found.hasLists()) {
      advise("%s has only numbers, not all of them whole: `kind: numeric`?", field.name());
    }
  }

  private void others() {
    Set<String> known =
        pipeline.features().stream().map(FeatureField::name).collect(Collectors.toSet());
    for (Map.Entry<String, FieldProfile> one : sample.fields().entrySet()) {
      FieldProfile found = one.getValue();
      if (!known.contains(one.getKey())
          && !meant.contains(one.getKey())
          && found.there() >= SOME * sample.impressions()
          && FieldDraft.of(one.getKey(), found, sample.impressions()).isOfUse()) {
        advise(
            "%s is in %s of the impressions and not in the pipeline: %s",
            one.getKey(),
            percent(found.there(), sample.impressions()),
            FieldDraft.of(one.getKey(), found, sample.impressions()).line());
      }
    }
  }

  private void tasks() {
    long span = sample.span();
    long covered = 0;
    long joined = 0;
    for (TaskProfile of : tasks) {
      covered += of.covered();
      joined += of.joined();
      task(of, span);
    }
    if (covered > 0 && joined == 0) {
      problem("nothing-joined", "no feedback finds its impression: are the ids the same ones?");
    }
  }

  private void task(TaskProfile of, long span) {
    String name = of.task().name();
    if (of.events() == 0) {
      problem("no-label", "there is no event of task %s", name);
      return;
    }
    if (of.joined() < NEARLY_ALL * of.covered()) {
      advise(
          "%s: the impression of %s of %,d events is not there; these will be `orphaned`",
          name, percent(of.covered() - of.joined(), of.covered()), of.covered());
    }
    if (of.withoutParent() > SOME * of.joined()) {
      advise(
          "%s: %s of its events have no event of the task that it comes after; these are"
              + " `orphaned`, unless it comes `after: impression`",
          name, percent(of.withoutParent(), of.joined()));
    }
    if (of.beforeParent() > SOME * of.delays().count()) {
      advise(
          "%s: %s of its events are, by their clock, before what they follow from:"
              + " `labels.clock-skew` says how far clocks may differ, now %s",
          name,
          percent(of.beforeParent(), of.delays().count()),
          Durations.written(pipeline.labels().clockSkew()));
    }
    if (of.mostOfOne() > pipeline.labels().maxEvents()) {
      advise(
          "%s: one impression has %,d events; beyond `labels.max-events`, %,d, they are `too-many`",
          name, of.mostOfOne(), pipeline.labels().maxEvents());
    }
    amounts(of);
    if (of.delays().count() > 0 && !of.task().deadline().present()) {
      window(of, span);
    }
  }

  private void amounts(TaskProfile of) {
    Numbers amounts = of.amounts();
    double rest = amounts.count() == 0 ? 0 : amounts.quantile(REST_OF_AMOUNTS);
    if (rest > 0 && amounts.quantile(1) > FAR * rest) {
      advise(
          "%s: the largest amount is %s, and 99%% are up to %s; `range` says what is plausible",
          of.task().name(), SampleText.number(amounts.quantile(1)), SampleText.number(rest));
    }
  }

  private void window(TaskProfile of, long span) {
    Duration window = of.task().window();
    Duration enough = Spans.roundUp(of.delays().quantile(0.99));
    if (of.within() < NEARLY_ALL) {
      advise(
          "%s: %s of its events come after its window of %s; 99%% are there after %s",
          of.task().name(),
          percent(1 - of.within(), 1),
          Durations.written(window),
          Durations.written(enough));
    } else if (window.toMillis() > WINDOW_SPARE * enough.toMillis()
        && span > SPANS * window.toMillis()) {
      advise(
          "%s: 99%% of its events are there after %s; with its window of %s labels wait for longer",
          of.task().name(), Durations.written(enough), Durations.written(window));
    }
    if (span < window.toMillis()) {
      advise(
          "%s: the impressions span %s, less than its window of %s: of long delays this says"
              + " nothing",
          of.task().name(), Spans.text(span), Durations.written(window));
    }
  }

  private void order() {
    double rest = sample.times().quantile(REST_OF_TIMES);
    double newest = sample.times().quantile(1);
    if (newest - rest > Math.max(DAY, sample.span())) {
      advise(
          "an impression is of %s, %s after nearly all others: a wrong clock? What is more than"
              + " `labels.max-ahead` after its arrival is refused as `ahead`",
          Instant.ofEpochMilli((long) newest), Spans.text(newest - rest));
    }
    for (SourceProfile source : sample.sources()) {
      Numbers behind = source.disorder().behind();
      double most = behind.count() == 0 ? 0 : behind.quantile(0.999);
      if (most > pipeline.labels().disorder().toMillis()) {
        advise(
            "%s: one message in a thousand is %s behind the newest before it, or more;"
                + " `labels.disorder` is %s, and who comes later may be `late`",
            source.name(), Spans.text(most), Durations.written(pipeline.labels().disorder()));
      }
    }
    if (sample.repeated() > 0) {
      advise("ids that were there before: %,d; the first counts", sample.repeated());
    }
  }

  private void problem(String code, String format, Object... values) {
    problems.add(new Problem(code, String.format(Locale.ROOT, format, values)));
  }

  private void advise(String format, Object... values) {
    advice.add(String.format(Locale.ROOT, format, values));
  }

  private static String share(long of, FieldProfile all) {
    return percent(of, all.values());
  }

  private static String percent(double of, double all) {
    return SampleText.percent(of, all);
  }

  private static String cut(String value) {
    return SampleText.cut(value, 40);
  }
}
