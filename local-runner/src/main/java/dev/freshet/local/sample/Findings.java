package dev.freshet.local.sample;

import dev.freshet.core.features.FeatureField;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.settings.Durations;
import dev.freshet.core.settings.Nearest;
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

  /** Fields beside those of the pipeline that are told one by one. */
  private static final int FEW_FIELDS = 5;

  private static final double NEARLY_ALL = 0.98;
  private static final double HALF = 0.5;
  private static final double SOME = 0.01;
  private static final double ALWAYS = 0.9999;
  private static final int MANY = 1000;
  private static final double ONE_OF_TWO = 1.01;
  private static final double FEW = 0.05;
  private static final double LATE = 0.001;
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
        if (pipeline.events().isEmpty() && !advice.contains(Refusal.LAYOUTS)) {
          advice.add(Refusal.LAYOUTS);
        }
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
    List<String> more = new ArrayList<>();
    int told = 0;
    for (Map.Entry<String, FieldProfile> one : sample.fields().entrySet()) {
      String name = one.getKey();
      FieldProfile found = one.getValue();
      if (known.contains(name)
          || meant.contains(name)
          || pipeline.events().values().stream().anyMatch(of -> of.tellsBy(name))
          || isOther(name, found, known)) {
        continue;
      }
      FieldDraft draft = FieldDraft.of(name, found, sample.impressions());
      if (found.there() < SOME * sample.impressions() || !draft.isOfUse()) {
        continue;
      }
      if (told++ >= FEW_FIELDS) {
        more.add(name);
      } else {
        advise(
            "%s is in %s of the impressions and not in the pipeline: %s",
            name, percent(found.there(), sample.impressions()), draft.line());
      }
    }
    if (!more.isEmpty()) {
      advise("%,d more fields are not in the pipeline: %s", more.size(), Refusal.named(more));
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
    TaskFindings findings = new TaskFindings(pipeline, sample, this);
    for (TaskProfile of : tasks) {
      covered += of.covered();
      joined += of.joined();
      findings.task(of, span);
    }
    if (covered > 0 && joined == 0) {
      problem("nothing-joined", "no feedback finds its impression: are the ids the same ones?");
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

  /** What may be better has to be mended before a run. */
  void mustBeMended() {
    harmless = false;
  }

  /** True if what may be better does not have to be mended before a run. */
  boolean harmless() {
    return harmless;
  }

  void problem(String code, String format, Object... values) {
    problems.add(new Problem(code, String.format(Locale.ROOT, format, values)));
  }

  void advise(String format, Object... values) {
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
