package dev.freshet.core.labels.correction;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.freshet.core.labels.LabelKind;
import dev.freshet.core.labels.TaskKind;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.ToDoubleFunction;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

/**
 * What every delay correction of the menu keeps. Clicks are simulated by their delays alone; the
 * join that carries out a plan has tests of its own, with every correction.
 */
class DelayCorrectionContractTest {

  private static final long WINDOW = 1000;
  private static final long WAITING = 100;

  /** An impression whose noes a tenth keeps. */
  private static final long KEPT =
      LongStream.iterate(1, id -> id + 1)
          .filter(new NegativeSampling(0.1)::keeps)
          .findFirst()
          .orElseThrow();

  /** A record that a plan asks for, with the label as it is known then. */
  private record Told(long time, LabelKind kind, boolean learn, double label) {}

  /** What a click at 0 whose yes comes after {@code delay} tells. */
  private static List<Told> told(DelayCorrection correction, long delay) {
    boolean yes = delay <= WINDOW;
    long first = yes ? delay : TaskTimeline.NEVER;
    List<Told> all = new ArrayList<>();
    correction.plan(
        new TaskTimeline(
            0,
            0,
            true,
            yes ? List.of(delay) : List.of(),
            correction.needsReports(),
            yes ? delay : WINDOW,
            WINDOW,
            WAITING,
            TaskTimeline.NEVER),
        (time, kind, learn) -> all.add(new Told(time, kind, learn, first <= time ? 1 : 0)));
    all.sort(Comparator.comparingLong(Told::time).thenComparing(Told::kind));
    return all;
  }

  @ParameterizedTest
  @EnumSource
  void everyPlanEndsInOneFinalLabelInsideTheWindow(DelayCorrections correction) {
    for (long delay : new long[] {0, 1, 99, 100, 101, 500, 999, 1000, 1001, 5000}) {
      List<Told> records = told(correction, delay);
      Told last = records.get(records.size() - 1);
      assertThat(records.stream().filter(r -> r.kind() == LabelKind.FINAL)).containsExactly(last);
      assertThat(last.time()).isLessThanOrEqualTo(WINDOW);
      assertThat(last.label()).isEqualTo(delay <= WINDOW ? 1 : 0);
      assertThat(
              records.stream().filter(r -> r.kind() != LabelKind.PENDING).map(Told::kind).toList())
          .doesNotHaveDuplicates();
      assertThat(records).anyMatch(Told::learn);
      assertThat(records).noneMatch(r -> r.kind() == LabelKind.LATE_COPY && r.label() == 0);
    }
  }

  private static List<DelayCorrections> forBinary() {
    return Stream.of(DelayCorrections.values()).filter(c -> c.suits(TaskKind.BINARY)).toList();
  }

  /** The record table of the field: labels that are learnt, in order. */
  @Test
  void recordsAreThoseOfTheTable() {
    long[] delays = {50, 500, 5000};
    String[][] expected = {
      {"1", "1", "0"}, // wait
      {"1", "1", "0"}, // settled
      {"1", "0", "0"}, // window
      {"01", "01", "0"}, // fnw
      {"01", "01", "0"}, // fnc
      {"1", "01", "0"}, // es-dfm
      {"11", "01", "00"}, // defer
      {"1", "01", "0"}, // defuse
      {"0", "0", "0"}, // hazard: nothing is known at 30, and what is thought is below a half
    };
    for (DelayCorrections correction : forBinary()) {
      for (int i = 0; i < delays.length; i++) {
        StringBuilder labels = new StringBuilder();
        for (Told record : told(correction, delays[i])) {
          if (record.learn()) {
            Estimates any = new Estimates(0.3, 0.1, 0.9);
            double label = correction.target(record.kind(), record.label(), any).label();
            labels.append(label > 0.5 ? 1 : 0);
          }
        }
        assertThat(labels)
            .as("%s, delay %s", correction, delays[i])
            .hasToString(expected[correction.ordinal()][i]);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void weightsAreNeverNegativeOrNotANumber(DelayCorrections correction) {
    double[] chances = {0, 1e-12, 0.001, 0.3, 0.5, 0.999, 1};
    for (LabelKind kind : LabelKind.values()) {
      for (double p : chances) {
        for (double late : chances) {
          for (double stays : chances) {
            for (int label = 0; label <= 1; label++) {
              Target target = correction.target(kind, label, new Estimates(p, late, stays));
              assertThat(target.weight()).isGreaterThanOrEqualTo(0).isNotNaN();
              assertThat(target.label()).isBetween(0.0, 1.0);
            }
          }
        }
      }
    }
  }

  /** Yeses that come at once leave nothing to correct: the truth, once or twice, at weight 1. */
  @ParameterizedTest
  @EnumSource(
      mode = Mode.EXCLUDE,
      names = {"FNW", "FNC"})
  void withoutDelayEveryCorrectionIsPlainTraining(DelayCorrections correction) {
    for (long delay : new long[] {0, 5000}) {
      double truth = delay == 0 ? 1 : 0;
      for (Told record : told(correction, delay)) {
        Target target = correction.target(record.kind(), record.label(), new Estimates(0.4, 0, 1));
        assertThat(target.label()).isEqualTo(truth);
        assertThat(target.weight()).isEqualTo(1);
      }
    }
  }

  /**
   * Fake negatives are told even where the yes comes at once, so these two agree with plain
   * training in where they end, not record by record.
   */
  @Test
  void withoutDelayFakeNegativesStillEndAtTheTruth() {
    double p = 0.2;
    assertThat(share(DelayCorrections.FNW, new long[] {0, 9000, 9000, 9000, 9000}, p, 0, 1))
        .isCloseTo(p, within(1e-12));
    double b = share(DelayCorrections.FNC, new long[] {0, 9000, 9000, 9000, 9000}, p, 0, 1);
    assertThat(DelayCorrections.FNC.served(b)).isCloseTo(p, within(1e-12));
  }

  /** Ten clicks: one fast yes, one late yes, eight noes; p = 0.2, dp = 0.1, rn = 8 / 9. */
  @Test
  void tenClicksComeBackToTwoTenths() {
    long[] clicks = {50, 500, 9000, 9000, 9000, 9000, 9000, 9000, 9000, 9000};
    double rn = 8.0 / 9;
    assertThat(unweighted(DelayCorrections.ES_DFM, clicks)).isCloseTo(9 / 11.0, within(1e-12));
    assertThat(unweighted(DelayCorrections.DEFER, clicks)).isCloseTo(0.85, within(1e-12));
    for (DelayCorrections correction :
        List.of(DelayCorrections.ES_DFM, DelayCorrections.DEFER, DelayCorrections.DEFUSE)) {
      assertThat(1 - share(correction, clicks, 0.2, 0.1, rn))
          .as("share of noes under %s", correction)
          .isCloseTo(0.8, within(1e-12));
    }
    assertThat(share(DelayCorrections.WINDOW, clicks, 0.2, 0.1, rn)).isEqualTo(0.1);
  }

  /**
   * A reported no closes an impression for those who learn early; waiting keeps one age for all.
   */
  @ParameterizedTest
  @EnumSource
  void aReportedOutcomeClosesTheImpression(DelayCorrections correction) {
    List<Told> records = new ArrayList<>();
    long never = TaskTimeline.NEVER;
    correction.plan(
        new TaskTimeline(0, 0, true, List.of(), true, 300, WINDOW, WAITING, never),
        (time, kind, learn) -> records.add(new Told(time, kind, learn, 0)));
    Told last = records.get(records.size() - 1);
    assertThat(last.kind()).isEqualTo(LabelKind.FINAL);
    assertThat(last.time())
        .isEqualTo(
            switch (correction) {
              case WAIT -> WINDOW;
              case HAZARD -> WINDOW / 2; // the end of the part that it is decided in
              default -> 300;
            });
  }

  /** Whatever the outcome and whether it is a yes, it is told at the end of its part. */
  @Test
  void aPendingImpressionTellsWhatItHasSurvived() {
    for (boolean yes : new boolean[] {true, false}) {
      List<Told> records = new ArrayList<>();
      DelayCorrections.HAZARD.plan(
          new TaskTimeline(
              1000,
              1000,
              true,
              yes ? List.of(1300L) : List.of(),
              true,
              1300,
              2000,
              WAITING,
              TaskTimeline.NEVER),
          (time, kind, learn) -> records.add(new Told(time, kind, learn, 0)));
      assertThat(records)
          .containsExactly(
              new Told(1030, LabelKind.FIRST, true, 0),
              new Told(1100, LabelKind.PENDING, false, 0),
              new Told(1250, LabelKind.PENDING, false, 0),
              new Told(1500, LabelKind.FINAL, false, 0));
    }
    assertThat(told(DelayCorrections.HAZARD, 20))
        .as("known at the end of the first part")
        .containsExactly(new Told(30, LabelKind.FINAL, true, 1));
    assertThat(told(DelayCorrections.HAZARD, 5000))
        .as("no report is a no when the window closes")
        .endsWith(new Told(WINDOW, LabelKind.FINAL, false, 0))
        .hasSize(6);
  }

  /**
   * The parent's event came after "no" had been told for want of it: the yes that follows within
   * the waiting time of that event is told all the same.
   */
  @ParameterizedTest
  @EnumSource(names = {"FNW", "FNC", "ES_DFM", "DEFER", "DEFUSE"})
  void aYesAfterALateParentIsTold(DelayCorrections correction) {
    List<Told> records = new ArrayList<>();
    TaskTimeline late = new TaskTimeline(150, 120, true, List.of(160L), false, 900, 900, 100, 120);
    correction.plan(late, (time, kind, learn) -> records.add(new Told(time, kind, learn, 1)));
    assertThat(records).contains(new Told(160, LabelKind.LATE_COPY, true, 1));
  }

  /**
   * The parent's label is told at 300 for every impression: one whose parent happened at 50 says
   * nothing before, or its age would tell that it happened.
   */
  @ParameterizedTest
  @EnumSource
  void nothingIsToldBeforeTheParentsLabel(DelayCorrections correction) {
    List<Long> times = new ArrayList<>();
    TaskTimeline early =
        new TaskTimeline(50, 300, true, List.of(400L), false, 900, 900, 100, TaskTimeline.NEVER);
    correction.plan(early, (time, kind, learn) -> times.add(time));
    assertThat(times).allMatch(time -> time >= 300);
  }

  /** What is there at the first record, each change after it, and the close. */
  @Test
  void anAmountIsToldWithEachChange() {
    List<Told> records = new ArrayList<>();
    long never = TaskTimeline.NEVER;
    List<Long> changes = List.of(50L, 300L, 800L);
    DelayCorrections.REVISE.plan(
        new TaskTimeline(0, 0, true, changes, false, WINDOW, WINDOW, WAITING, never),
        (time, kind, learn) -> records.add(new Told(time, kind, learn, 0)));
    assertThat(records)
        .containsExactly(
            new Told(100, LabelKind.FIRST, true, 0),
            new Told(300, LabelKind.LATE_COPY, true, 0),
            new Told(800, LabelKind.LATE_COPY, true, 0),
            new Told(WINDOW, LabelKind.FINAL, true, 0));
  }

  /** Share of noes in the stream, as it is. */
  private static double unweighted(DelayCorrection correction, long[] clicks) {
    double noes = 0;
    double all = 0;
    for (long delay : clicks) {
      for (Told record : told(correction, delay)) {
        if (record.learn()) {
          noes += 1 - record.label();
          all++;
        }
      }
    }
    return noes / all;
  }

  /** Weighted share of yeses: where a model that is a bias alone ends. */
  private static double share(
      DelayCorrection correction, long[] clicks, double p, double late, double stays) {
    double yes = 0;
    double all = 0;
    for (long delay : clicks) {
      for (Told record : told(correction, delay)) {
        if (record.learn()) {
          Target target =
              correction.target(record.kind(), record.label(), new Estimates(p, late, stays));
          yes += target.weight() * target.label();
          all += target.weight();
        }
      }
    }
    return yes / all;
  }

  /** Delay laws: none longer than the waiting time, exponential, a mixture, and a heavy tail. */
  private static List<ToDoubleFunction<SplittableRandom>> laws() {
    return List.of(
        random -> 60 * random.nextDouble(),
        random -> -250 * Math.log(random.nextDouble()),
        random -> -(random.nextDouble() < 0.4 ? 20 : 600) * Math.log(random.nextDouble()),
        random -> 30 * (Math.pow(1 - random.nextDouble(), -1.2) - 1));
  }

  /**
   * A million clicks of one true rate: a model that is a bias alone, with the weights that its own
   * prediction gives and the true chances of a late yes, must end within three standard errors of
   * the rate. Its end is the fixed point: the prediction at which the weighted share is itself.
   */
  @ParameterizedTest
  @EnumSource(
      mode = Mode.EXCLUDE,
      names = {"WINDOW", "FNC", "REVISE"})
  void aBiasLearnsTheTrueRate(DelayCorrections correction) {
    for (ToDoubleFunction<SplittableRandom> law : laws()) {
      Counts counts = counts(law, 0.15);
      double error = Math.sqrt(counts.rate() * (1 - counts.rate()) / counts.clicks());
      assertThat(counts.fixedPoint(correction))
          .as("%s", correction)
          .isCloseTo(counts.rate(), within(1e-9))
          .isCloseTo(counts.expected(), within(3 * error));
    }
  }

  /** With a tenth of the noes a model learns other odds; turned back they are the same. */
  @ParameterizedTest
  @EnumSource(
      mode = Mode.EXCLUDE,
      names = {"WINDOW", "REVISE"})
  void sampledNoesAreTurnedBack(DelayCorrections correction) {
    for (ToDoubleFunction<SplittableRandom> law : laws()) {
      Counts counts = counts(law, 0.15);
      NegativeSampling tenth = new NegativeSampling(0.1);
      double learnt = counts.fixedPoint(correction, tenth);
      assertThat(tenth.served(learnt))
          .as("%s", correction)
          .isCloseTo(counts.fixedPoint(correction), within(1e-9));
      assertThat(learnt).isGreaterThan(counts.fixedPoint(correction));
    }
  }

  @Test
  void theShareOfImpressionsWhoseNoesAreKeptIsAsAsked() {
    NegativeSampling tenth = new NegativeSampling(0.1);
    double kept = LongStream.range(0, 1_000_000).filter(tenth::keeps).count();
    assertThat(kept / 1_000_000).isBetween(0.099, 0.101);
    double sum = 0;
    for (long id = 0; id < 1_000_000; id++) {
      sum += tenth.amountWeight(0, id);
    }
    assertThat(sum / 1_000_000).isBetween(0.99, 1.01);
    assertThat(tenth.amountWeight(5, 1)).isEqualTo(1);
  }

  @Test
  void theRecordsOfWhatWasNotReachedThatAreKeptWeighAll() {
    UnreachedSampling quarter = new UnreachedSampling(0.25);
    double weight = 0;
    int both = 0;
    for (long id = 0; id < 1_000_000; id++) {
      weight += quarter.weight(id, 1);
      both += quarter.keeps(id, 1) && quarter.keeps(id, 2) ? 1 : 0;
    }
    assertThat(weight / 1_000_000).isBetween(0.99, 1.01);
    assertThat(both / 1e6).isBetween(0.0615, 0.0635);
    assertThat(new UnreachedSampling(1).weight(7, 1)).isEqualTo(1);
  }

  /** The known biases: what comes late is lost to a window, and FNC needs its inverse. */
  @Test
  void windowAndUncorrectedFncAreBiasedAsIsKnown() {
    for (ToDoubleFunction<SplittableRandom> law : laws().subList(1, 4)) {
      Counts counts = counts(law, 0.15);
      assertThat(counts.fixedPoint(DelayCorrections.WINDOW))
          .isCloseTo((double) counts.fast() / counts.clicks(), within(1e-9))
          .isLessThan(0.9 * counts.rate());
      double b = counts.fixedPoint(DelayCorrections.FNC);
      assertThat(b).isCloseTo(counts.rate() / (1 + counts.rate()), within(1e-9));
      assertThat(DelayCorrections.FNC.served(b)).isCloseTo(counts.rate(), within(1e-9));
    }
  }

  private static Counts counts(ToDoubleFunction<SplittableRandom> law, double rate) {
    SplittableRandom random = new SplittableRandom(11);
    int clicks = 1_000_000;
    int fast = 0;
    int late = 0;
    int lost = 0;
    for (int i = 0; i < clicks; i++) {
      if (random.nextDouble() < rate) {
        double delay = law.applyAsDouble(random);
        if (delay <= WAITING) {
          fast++;
        } else if (delay <= WINDOW) {
          late++;
        } else {
          lost++;
        }
      }
    }
    return new Counts(
        clicks, fast, late, rate * (1 - (double) lost / Math.max(1, fast + late + lost)));
  }

  /**
   * How many clicks of which sort there were.
   *
   * @param expected the rate that was drawn from, without what falls out of the window
   */
  private record Counts(int clicks, int fast, int late, double expected) {
    double rate() {
      return (double) (fast + late) / clicks;
    }

    double fixedPoint(DelayCorrection correction) {
      return fixedPoint(correction, NegativeSampling.NONE);
    }

    double fixedPoint(DelayCorrection correction, NegativeSampling sampling) {
      double dp = (double) late / clicks;
      // At the end of its first part nothing of these is known to a hazard.
      int known = correction.parts() > 0 ? 0 : fast;
      double rn = (double) (clicks - fast - late) / (clicks - known);
      double p = 0.5;
      for (int round = 0; round < 400; round++) {
        p = next(correction, sampling, p, dp, rn);
      }
      return p;
    }

    private double next(
        DelayCorrection correction, NegativeSampling sampling, double q, double dp, double rn) {
      double p = sampling.served(q);
      double yes = 0;
      double all = 0;
      long[] delays = {50, 500, 9000};
      int[] many = {fast, late, clicks - fast - late};
      for (int i = 0; i < delays.length; i++) {
        for (Told record : told(correction, delays[i])) {
          if (record.learn()) {
            Target target =
                correction.target(record.kind(), record.label(), new Estimates(p, dp, rn));
            double weight = Math.min(target.weight(), 10) * many[i];
            // Of many clicks, noes are kept as often as asked; the split part is made up for.
            Target bounded = new Target(target.label(), weight);
            Target kept = sampling.sampled(bounded, KEPT);
            double share = bounded.label() == 1 ? 1 : sampling.kept();
            yes += share * kept.weight() * kept.label();
            all += share * kept.weight();
          }
        }
      }
      return yes / all;
    }
  }
}
