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
import java.util.Optional;
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
  private static final double ONE_OF_TWO = 1.01;
  private static final double FEW = 0.05;
  private static final double LATE = 0.001;
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

  private boolean harmless = true;

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
      } else if (source.allRefused() > FEW * source.messages()) {
        harmless = false;
        advise(
            "%s: %s of its messages are refused, for the reasons above",
            source.name(), percent(source.allRefused(), source.messages()));
      }
    }
  }

  private void fields() {
    Set<String> there = sample.fields().keySet();
    List<String> absent = new ArrayList<>();
    for (FeatureField field : pipeline.features()) {
      FieldProfile found = sample.fields().get(field.name());
      if (!field.expected()) {
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
      List<String> names = sample.names();
      problem(
          "absent-field",
          "in no impression: %s%s",
          String.join(", ", absent),
          names.contains("features")
              ? ""
              : "; fields stand under `features`, and the first impression has "
                  + Refusal.named(names)
                  + Refusal.meant("features", names));
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
    if (found.isNewEachTime()) {
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
      String name = one.getKey();
      FieldProfile found = one.getValue();
      if (known.contains(name) || meant.contains(name) || isOther(name, found, known)) {
        continue;
      }
      FieldDraft draft = FieldDraft.of(name, found, sample.impressions());
      if (found.there() >= SOME * sample.impressions() && draft.isOfUse()) {
        advise(
            "%s is in %s of the impressions and not in the pipeline: %s",
            name, percent(found.there(), sample.impressions()), draft.line());
      }
    }
  }

  /** A field that is there where one of the pipeline, of nearly its name, is not. */
  private boolean isOther(String name, FieldProfile found, Set<String> known) {
    Optional<String> like = Nearest.of(name, known);
    FieldProfile other = like.map(sample.fields()::get).orElse(null);
    if (other == null || other.there() + found.there() > ONE_OF_TWO * sample.impressions()) {
      return false;
    }
    advise(
        "%s is in %s of the impressions and %s in %s: are they one field?",
        name,
        percent(found.there(), sample.impressions()),
        like.get(),
        percent(other.there(), sample.impressions()));
    return true;
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
    double before = of.delays().upTo(-pipeline.labels().clockSkew().toMillis() - 1);
    if (before > HALF) {
      problem(
          "before-parent",
          "%s: %s of its events are, by their clock, before what they follow from, half of them by"
              + " %s or more: wrong times, or in each other's place?",
          name,
          percent(before, 1),
          Spans.text(Math.max(0, -of.delays().quantile(HALF))));
    } else if (of.beforeParent() > SOME * of.delays().count()) {
      harmless &= before < FEW;
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
    double within = of.delays().upTo(window.toMillis());
    if (within < NEARLY_ALL) {
      advise(
          "%s: %s of its events come after its window of %s; 99%% are there after %s",
          of.task().name(),
          percent(1 - within, 1),
          Durations.written(window),
          Durations.written(enough));
    } else if (window.toMillis() > WINDOW_SPARE * enough.toMillis()
        && span > SPANS * window.toMillis()) {
      advise(
          "%s: 99%% of its events are there after %s; with its window of %s labels wait for longer",
          of.task().name(), Durations.written(enough), Durations.written(window));
    }
    if (pipeline.judgedLate(of.task())) {
      advise(
          "%s: its labels are told after up to %s, and by then a model has learnt from what was"
              + " shown meanwhile; `training: {scoring: {at: impression}}` judges what is served."
              + " docs/delays.md has corrections that do not wait, and deadlines",
          of.task().name(), Durations.written(window));
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
    long disorder = pipeline.labels().disorder().toMillis();
    for (SourceProfile source : sample.sources()) {
      Numbers behind = source.disorder().behind();
      double late = behind.count() == 0 ? 0 : 1 - behind.upTo(disorder);
      if (late > LATE) {
        String told =
            String.format(
                Locale.ROOT,
                "%s: %s of its messages are more than `labels.disorder`, %s, behind the newest before"
                    + " them, up to %s, and may be `late`. Is it in the order of time?",
                source.name(),
                percent(late, 1),
                Durations.written(pipeline.labels().disorder()),
                Spans.text(behind.quantile(1)));
        if (late > SOME && source.impressions() > 0) {
          problem("late-impressions", "%s", told);
        } else {
          advice.add(told);
          harmless &= late < FEW;
        }
      }
    }
    repeated("impressions", sample.repeatedImpressions());
    repeated("feedback events", sample.repeatedEvents());
  }

  private void repeated(String what, long count) {
    if (count > 0) {
      harmless &= count < FEW * sample.impressions();
      advise("ids of %s that were there before: %,d; the first counts", what, count);
    }
  }

  /** True if what may be better does not have to be mended before a run. */
  boolean harmless() {
    return harmless;
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
