package dev.freshet.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.labels.LabelKind;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.labels.correction.DelayCorrection;
import dev.freshet.core.labels.correction.DelayCorrections;
import dev.freshet.core.labels.correction.TaskTimeline;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.core.settings.EnumNames;
import dev.freshet.training.evaluation.QualityMetric;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;
import org.junit.jupiter.params.provider.ValueSource;

/** Delay corrections from the record to the weights of a model, on a stream of late labels. */
class DelayedTrainingTest {

  private static final long MINUTE = 60_000;
  private static final long WINDOW = 600 * MINUTE;
  private static final long WAITING = 20 * MINUTE;
  private static final int BATCH = 128;

  static Pipeline pipeline(DelayCorrections correction) {
    return pipeline(correction, 1);
  }

  private static Pipeline pipeline(DelayCorrections correction, double sampling) {
    return PipelineFile.parse(
        """
        pipeline: delayed
        tasks: [{name: buys, kind: binary, window: 600m, correction: %s, waiting: 20m, negatives: %s}]
        features: [{name: f, kind: categorical, dim: 4, admit-after: 1}]
        models: [{name: main, kind: shared-bottom, bottom: [8], tower: [8]}]
        training: {batch: 128, negative-sampling: %s, dense: {rate: 5e-3}, scoring: {window: 20000, watch: {field: f}}}
        """
            .formatted(
                EnumNames.of(correction),
                correction.needsReports() ? "explicit" : "implicit",
                sampling),
        "test");
  }

  private record Told(long time, EncodedExample example) {}

  /** One click a minute; half of the yeses come within the waiting time, and slow values later. */
  static List<EncodedExample> stream(DelayCorrections correction, int clicks) {
    Random random = new Random(3);
    List<Told> all = new ArrayList<>();
    for (int i = 0; i < clicks; i++) {
      long start = i * MINUTE;
      int value = random.nextInt(4);
      boolean yes = random.nextDouble() < 0.1 + 0.1 * value;
      double mean = (value % 2 == 0 ? 20 : 60) * MINUTE;
      long delay = yes ? (long) (-mean * Math.log(1 - random.nextDouble())) : WINDOW + 1;
      boolean counts = delay <= WINDOW;
      // Where noes are reported most are known early, of some values more than of others.
      boolean early = correction.needsReports() && (i + value) % 3 > 0;
      long settled = counts ? delay : early ? WINDOW / 50 * (1 + i % 20) : WINDOW;
      int[] part = {0};
      long first = counts ? start + delay : TaskTimeline.NEVER;
      long id = i;
      long[] keys = {1 + value};
      if (correction.learnsEarly()) {
        all.add(told(id, start, start - 1, keys, TaskLabel.NONE));
      }
      correction.plan(
          new TaskTimeline(
              start,
              start,
              true,
              first == TaskTimeline.NEVER ? List.of() : List.of(first),
              correction.needsReports(),
              correction.needsReports() ? start + settled : start + WINDOW,
              start + WINDOW,
              WAITING,
              TaskTimeline.NEVER),
          (time, kind, learn) -> {
            boolean seen = first <= time;
            TaskLabel label =
                new TaskLabel(
                    kind,
                    seen ? 1 : 0,
                    learn ? 1 : 0,
                    time - start,
                    seen ? delay : -1,
                    true,
                    seen && delay > WAITING,
                    correction.parts() > 0 ? part[0]++ : 0);
            all.add(told(id, start, time, keys, label));
          });
    }
    return all.stream().sorted(Comparator.comparingLong(Told::time)).map(Told::example).toList();
  }

  private static Told told(long id, long start, long at, long[] keys, TaskLabel label) {
    int[] starts = {0, 1};
    TaskLabel[] labels = {label};
    return new Told(at, new EncodedExample(id, start, false, keys, starts, labels, new float[0]));
  }

  private static void feed(ModelTrainer trainer, List<EncodedExample> examples) {
    for (int i = 0; i + BATCH <= examples.size(); i += BATCH) {
      trainer.process(examples.subList(i, i + BATCH));
    }
  }

  private static ModelTrainer trainer(DelayCorrections correction) {
    Pipeline pipeline = pipeline(correction);
    return new ModelTrainer(pipeline.context(pipeline.model("main")), pipeline.training());
  }

  @ParameterizedTest
  @EnumSource(
      mode = Mode.EXCLUDE,
      names = {"WINDOW", "REVISE"})
  void whatIsServedIsCalibrated(DelayCorrections correction) {
    try (ModelTrainer trainer = trainer(correction)) {
      feed(trainer, stream(correction, 60_000));
      assertThat(trainer.quality().value("buys", QualityMetric.CALIBRATION)).isBetween(0.93, 1.07);
      assertThat(trainer.quality().value("buys", QualityMetric.AUC)).isGreaterThan(0.6);
      assertThat(trainer.boundedWeights()).isLessThan(500);
    }
  }

  /** A fifth of the noes: fewer rows to learn, and what is served is as calibrated as before. */
  @ParameterizedTest
  @EnumSource(names = {"WAIT", "FNW", "FNC", "DEFUSE"})
  void sampledNoesLeaveItCalibrated(DelayCorrections correction) {
    Pipeline sampled = pipeline(correction, 0.2);
    try (ModelTrainer trainer =
        new ModelTrainer(sampled.context(sampled.model("main")), sampled.training())) {
      feed(trainer, stream(correction, 60_000));
      assertThat(trainer.quality().value("buys", QualityMetric.CALIBRATION)).isBetween(0.92, 1.08);
      assertThat(trainer.quality().value("buys", QualityMetric.AUC)).isGreaterThan(0.6);
    }
  }

  @Test
  void aWaitingWindowLosesWhatComesLate() {
    try (ModelTrainer trainer = trainer(DelayCorrections.WINDOW)) {
      feed(trainer, stream(DelayCorrections.WINDOW, 60_000));
      assertThat(trainer.quality().value("buys", QualityMetric.CALIBRATION)).isLessThan(0.65);
    }
  }

  /** Before anything is settled a late yes is not expected, and nothing is weighed up for it. */
  @Test
  void untaughtHeadsWeighLikeAWindow() {
    try (ModelTrainer es = trainer(DelayCorrections.ES_DFM);
        ModelTrainer window = trainer(DelayCorrections.WINDOW)) {
      List<EncodedExample> first = stream(DelayCorrections.WINDOW, 1000).subList(0, BATCH);
      es.process(first);
      window.process(first);
      assertThat(es.losses()[0] / window.losses()[0]).isBetween(0.9f, 1.1f);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"DEFER", "HAZARD"})
  void aRestoredTrainerGoesOnWithItsDelayHeads(DelayCorrections correction) throws IOException {
    List<EncodedExample> examples = stream(correction, 4000);
    int half = 20 * BATCH;
    byte[] straight;
    byte[] middle;
    try (ModelTrainer trainer = trainer(correction)) {
      feed(trainer, examples.subList(0, half));
      middle = bytes(trainer);
      feed(trainer, examples.subList(half, examples.size()));
      straight = bytes(trainer);
    }
    try (ModelTrainer trainer = trainer(correction)) {
      TrainerSnapshot.read(trainer, new ByteArrayInputStream(middle));
      feed(trainer, examples.subList(half, examples.size()));
      assertThat(bytes(trainer)).isEqualTo(straight);
    }
    try (ModelTrainer plain = trainer(DelayCorrections.WAIT)) {
      assertThatThrownBy(() -> TrainerSnapshot.read(plain, new ByteArrayInputStream(middle)))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("has delay heads, its tasks' corrections now ask for none");
    }
  }

  /** From waiting for the truth to a correction that learns how late it is. */
  @Test
  void delayHeadsMayBeAddedToAModelThatHasLearnt() throws IOException {
    byte[] waited;
    try (ModelTrainer trainer = trainer(DelayCorrections.WAIT)) {
      feed(trainer, stream(DelayCorrections.WAIT, 2000));
      waited = bytes(trainer);
    }
    try (ModelTrainer trainer = trainer(DelayCorrections.ES_DFM)) {
      TrainerSnapshot.read(trainer, new ByteArrayInputStream(waited));
      long steps = trainer.steps();
      assertThat(steps).as("what was learnt is kept").isPositive();
      feed(trainer, stream(DelayCorrections.ES_DFM, 2000));
      assertThat(trainer.steps()).isGreaterThan(steps);
      byte[] now = bytes(trainer);
      try (ModelTrainer restored = trainer(DelayCorrections.ES_DFM)) {
        TrainerSnapshot.read(restored, new ByteArrayInputStream(now));
        assertThat(bytes(restored)).isEqualTo(now);
      }
    }
  }

  private static byte[] bytes(ModelTrainer trainer) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    TrainerSnapshot.write(trainer, TrainerSnapshot.Surroundings.none(1), out);
    return out.toByteArray();
  }

  @Test
  void weightsAreBoundedAndCounted() {
    Pipeline tight =
        PipelineFile.parse(
            """
            pipeline: delayed
            tasks: [{name: buys, kind: binary, window: 600m, correction: fnw}]
            labels: {max-weight: 1.2}
            features: [{name: f, kind: categorical, dim: 4, admit-after: 1}]
            models: [{name: main, kind: shared-bottom, bottom: [8], tower: [8]}]
            """,
            "test");
    try (ModelTrainer trainer =
        new ModelTrainer(tight.context(tight.model("main")), tight.training())) {
      TaskLabel[] late = {new TaskLabel(LabelKind.LATE_COPY, 1, 1, 1, 1, true)};
      EncodedExample example =
          new EncodedExample(1, 0, false, new long[] {1}, new int[] {0, 1}, late, new float[0]);
      // Untrained, p is about 0.5 and the weight 1.5.
      trainer.process(List.of(example, example));
      assertThat(trainer.boundedWeights()).isEqualTo(2);
    }
  }

  private static final String AMOUNTS =
      """
      pipeline: amounts
      tasks:
        - {name: buys, kind: binary, window: 60m}
        - {name: paid, kind: continuous, window: 600m, transform: none, correction: %s, waiting: 20m}
      labels: {holdout: 0.0}
      features: [{name: f, kind: categorical, dim: 4, admit-after: 1}]
      models: [{name: main, kind: single-task, tower: [8]}]
      training: {batch: 128, dense: {rate: 3e-3}}
      """;

  /**
   * Half of the impressions pay nothing. The others pay 2 at once or 3 later, some of them 2 more
   * later still, and some send back. Told with each change and weighed by the chance of being the
   * last word, the amounts are learnt as they are when they are told once, and as soon as they
   * come.
   */
  @ParameterizedTest
  @ValueSource(strings = {"revise", "wait"})
  void amountsToldWithEachChangeEndAtTheWhole(String correction) {
    Pipeline pipeline = PipelineFile.parse(AMOUNTS.formatted(correction), "test");
    Random random = new Random(5);
    List<Told> all = new ArrayList<>();
    double[] sums = new double[4];
    int[] counts = new int[4];
    for (int i = 0; i < 40_000; i++) {
      int value = random.nextInt(4);
      TreeMap<Long, Double> orders = new TreeMap<>();
      if (random.nextDouble() < 0.2 + 0.2 * value) {
        orders.put(MINUTE * random.nextInt(40), 2.0 + random.nextInt(2));
        if (random.nextDouble() < 0.4) {
          orders.put(MINUTE * (50 + random.nextInt(200)), 2.0);
        }
        if (random.nextDouble() < 0.2) {
          orders.put(MINUTE * (300 + random.nextInt(200)), -2.0);
        }
      }
      sums[value] += orders.values().stream().mapToDouble(d -> d).sum();
      counts[value]++;
      tellAmounts(pipeline, i, value, orders, all);
    }
    List<EncodedExample> examples =
        all.stream().sorted(Comparator.comparingLong(Told::time)).map(Told::example).toList();
    try (ModelTrainer trainer =
        new ModelTrainer(pipeline.context(pipeline.model("main")), pipeline.training())) {
      feed(trainer, examples);
      for (int value = 0; value < 4; value++) {
        TaskLabel[] none = {TaskLabel.NONE, TaskLabel.NONE};
        EncodedExample one =
            new EncodedExample(
                1, 0, false, new long[] {1 + value}, new int[] {0, 1}, none, new float[0]);
        double predicted = trainer.served().served(trainer.network().predict(List.of(one))[0])[1];
        double mean = sums[value] / counts[value];
        assertThat(predicted)
            .as("value %s, %s", value, trainer.amounts())
            .isBetween(mean - 0.2, mean + 0.2);
      }
    }
  }

  private static void tellAmounts(
      Pipeline pipeline, int index, int value, TreeMap<Long, Double> orders, List<Told> all) {
    long start = index * MINUTE;
    DelayCorrection correction = pipeline.tasks().get(1).correction();
    List<Long> changes = orders.keySet().stream().map(at -> start + at).toList();
    long first = changes.isEmpty() ? TaskTimeline.NEVER : changes.get(0);
    long end = start + WINDOW;
    int[] told = {-1};
    double[] last = {Double.NaN};
    correction.plan(
        new TaskTimeline(start, start, true, changes, false, end, end, WAITING, TaskTimeline.NEVER),
        (time, kind, learn) -> {
          double amount =
              orders.headMap(time - start, true).values().stream().mapToDouble(d -> d).sum();
          boolean news = amount != last[0];
          told[0] += news || told[0] < 0 ? 1 : 0;
          last[0] = amount;
          TaskLabel label =
              new TaskLabel(
                  kind,
                  amount,
                  learn && news ? 1 : 0,
                  time - start,
                  first <= time ? first - start : -1,
                  true,
                  first <= time && first > start + WAITING,
                  Math.max(0, told[0]));
          TaskLabel[] labels = {TaskLabel.NONE, label};
          all.add(
              new Told(
                  time,
                  new EncodedExample(
                      index,
                      start,
                      false,
                      new long[] {1 + value},
                      new int[] {0, 1},
                      labels,
                      new float[0])));
        });
  }
}
