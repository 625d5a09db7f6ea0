package dev.freshet.local.sample;

import static dev.freshet.local.sample.SampleText.percent;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.settings.Durations;
import java.time.Duration;

/** What is found in the events of tasks, one by one. */
final class TaskFindings {

  private static final double NEARLY_ALL = 0.98;
  private static final double HALF = 0.5;
  private static final double SOME = 0.01;
  private static final double ALWAYS = 0.9999;
  private static final double FEW = 0.05;
  private static final double WINDOW_SPARE = 10;
  private static final double SPANS = 3;
  private static final double FAR = 1000;
  private static final double REST_OF_AMOUNTS = 0.99;

  /** Events of a task from which on it is no chance that none of them finds its impression. */
  private static final int SOME_EVENTS = 20;

  private final Pipeline pipeline;
  private final EventSample sample;
  private final Findings findings;

  TaskFindings(Pipeline pipeline, EventSample sample, Findings findings) {
    this.pipeline = pipeline;
    this.sample = sample;
    this.findings = findings;
  }

  /** Of one task, whose stream of impressions spans so many milliseconds. */
  void task(TaskProfile of, long span) {
    String name = of.task().name();
    if (of.events() == 0) {
      findings.problem("no-label", "there is no event of task %s", name);
      return;
    }
    if (of.covered() >= SOME_EVENTS && of.joined() == 0) {
      findings.problem(
          "nothing-joined",
          "%s: none of its %,d events finds its impression: are the ids the same ones?",
          name,
          of.covered());
      return;
    }
    if (of.task().binary()
        && !of.task().explicit()
        && of.impressions() >= ALWAYS * sample.impressions()) {
      findings.problem(
          "no-negative",
          "%s: it happened for %s of the impressions, so there is nothing to tell apart; is `when`"
              + " of `events` missing, or always true?",
          name,
          percent(of.impressions(), sample.impressions()));
    }
    if (of.joined() < NEARLY_ALL * of.covered()) {
      findings.advise(
          "%s: the impression of %s of %,d events is not there; these will be `orphaned`",
          name, percent(of.covered() - of.joined(), of.covered()), of.covered());
    }
    if (of.withoutParent() > SOME * of.joined()) {
      findings.advise(
          "%s: %s of its events have no event of the task that it comes after; these are"
              + " `orphaned`, unless it comes `after: impression`",
          name, percent(of.withoutParent(), of.joined()));
    }
    double before = of.delays().upTo(-pipeline.labels().clockSkew().toMillis() - 1);
    if (before > HALF) {
      findings.problem(
          "before-parent",
          "%s: %s of its events are, by their clock, before what they follow from, half of them by"
              + " %s or more: wrong times, or in each other's place?",
          name,
          percent(before, 1),
          Spans.text(Math.max(0, -of.delays().quantile(HALF))));
    } else if (of.beforeParent() > SOME * of.delays().count()) {
      if (before >= FEW) {
        findings.mustBeMended();
      }
      findings.advise(
          "%s: %s of its events are, by their clock, before what they follow from:"
              + " `labels.clock-skew` says how far clocks may differ, now %s",
          name,
          percent(of.beforeParent(), of.delays().count()),
          Durations.written(pipeline.labels().clockSkew()));
    }
    if (of.mostOfOne() > pipeline.labels().maxEvents()) {
      findings.advise(
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
      findings.advise(
          "%s: the largest amount is %s, and 99%% are up to %s; `range` says what is plausible",
          of.task().name(), SampleText.number(amounts.quantile(1)), SampleText.number(rest));
    }
  }

  private void window(TaskProfile of, long span) {
    Duration window = of.task().window();
    Duration enough = Spans.roundUp(of.delays().quantile(0.99));
    double within = of.delays().upTo(window.toMillis());
    if (within < NEARLY_ALL) {
      findings.advise(
          "%s: %s of its events come after its window of %s; 99%% are there after %s",
          of.task().name(),
          percent(1 - within, 1),
          Durations.written(window),
          Durations.written(enough));
    } else if (window.toMillis() > WINDOW_SPARE * enough.toMillis()
        && span > SPANS * window.toMillis()) {
      findings.advise(
          "%s: 99%% of its events are there after %s; with its window of %s labels wait for longer",
          of.task().name(), Durations.written(enough), Durations.written(window));
    }
    if (pipeline.judgedLate(of.task())) {
      findings.advise(
          "%s: its labels are told after up to %s, and by then a model has learnt from what was"
              + " shown meanwhile; `training: {scoring: {at: impression}}` judges what is served."
              + " docs/delays.md has corrections that do not wait, and deadlines",
          of.task().name(), Durations.written(window));
    }
    if (span < window.toMillis()) {
      findings.advise(
          "%s: the impressions span %s, less than its window of %s: of long delays this says"
              + " nothing",
          of.task().name(), Spans.text(span), Durations.written(window));
    }
  }
}
