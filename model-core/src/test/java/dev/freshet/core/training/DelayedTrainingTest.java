package dev.freshet.core.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.labels.LabelKind;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.labels.correction.DelayCorrections;
import dev.freshet.core.labels.correction.TaskTimeline;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.core.settings.RecordBinder;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
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

  private static Pipeline pipeline(DelayCorrections correction) {
    return pipeline(correction, 1);
  }

  private static Pipeline pipeline(DelayCorrections correction, double sampling) {
    return PipelineFile.parse(
        """
        pipeline: delayed
        tasks: [{name: buys, kind: binary, window: 600m, correction: %s, waiting: 20m}]
        features: [{name: f, kind: categorical, dim: 4, admit-after: 1}]
        models: [{name: main, kind: shared-bottom, bottom: [8], tower: [8]}]
        training: {batch: 128, negative-sampling: %s, dense: {rate: 5e-3}, scoring: {window: 20000, watch: {field: f}}}
        """
            .formatted(RecordBinder.written(correction), sampling),
        "test");
  }

  private record Told(long time, EncodedExample example) {}

  /** One click a minute; half of the yeses come within the waiting time, and slow values later. */
  private static List<EncodedExample> stream(DelayCorrections correction, int clicks) {
    Random random = new Random(3);
    List<Told> all = new ArrayList<>();
    for (int i = 0; i < clicks; i++) {
      long start = i * MINUTE;
      int value = random.nextInt(4);
      boolean yes = random.nextDouble() < 0.1 + 0.1 * value;
      double mean = (value % 2 == 0 ? 20 : 60) * MINUTE;
      long delay = yes ? (long) (-mean * Math.log(1 - random.nextDouble())) : WINDOW + 1;
      boolean counts = delay <= WINDOW;
      long first = counts ? start + delay : TaskTimeline.NEVER;
      long id = i;
      long[] keys = {1 + value};
      if (correction.learnsEarly()) {
        all.add(told(id, start, start - 1, keys, TaskLabel.NONE));
      }
      correction.plan(
          new TaskTimeline(
              start,
              true,
              first,
              List.of(),
              false,
              start + WINDOW,
              start + WINDOW,
              WAITING,
              TaskTimeline.NEVER),
          (time, kind, learn) -> {
            boolean seen = first <= time;
            TaskLabel label =
                new TaskLabel(
                    kind, seen ? 1 : 0, learn ? 1 : 0, time - start, seen ? delay : -1, true);
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
      assertThat(trainer.quality().get("buys").get("calibration")).isBetween(0.93, 1.07);
      assertThat(trainer.quality().get("buys").get("auc")).isGreaterThan(0.6);
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
      assertThat(trainer.quality().get("buys").get("calibration")).isBetween(0.92, 1.08);
      assertThat(trainer.quality().get("buys").get("auc")).isGreaterThan(0.6);
    }
  }

  @Test
  void aWaitingWindowLosesWhatComesLate() {
    try (ModelTrainer trainer = trainer(DelayCorrections.WINDOW)) {
      feed(trainer, stream(DelayCorrections.WINDOW, 60_000));
      assertThat(trainer.quality().get("buys").get("calibration")).isLessThan(0.65);
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

  @Test
  void aRestoredTrainerGoesOnWithItsDelayHeads() throws IOException {
    List<EncodedExample> examples = stream(DelayCorrections.DEFER, 4000);
    int half = 20 * BATCH;
    byte[] straight;
    byte[] middle;
    try (ModelTrainer trainer = trainer(DelayCorrections.DEFER)) {
      feed(trainer, examples.subList(0, half));
      middle = bytes(trainer);
      feed(trainer, examples.subList(half, examples.size()));
      straight = bytes(trainer);
    }
    try (ModelTrainer trainer = trainer(DelayCorrections.DEFER)) {
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

  private static byte[] bytes(ModelTrainer trainer) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    TrainerSnapshot.write(trainer, new TrainerSnapshot.Surroundings(1, List.of(), new int[0]), out);
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
        - {name: paid, kind: continuous, window: 600m, transform: none, correction: %s}
      labels: {holdout: 0.0}
      features: [{name: f, kind: categorical, dim: 4, admit-after: 1}]
      models: [{name: main, kind: single-task, tower: [8]}]
      training: {batch: 64, dense: {rate: 3e-3}}
      """;

  /**
   * An order of 2 at once, one of 3 later and a refund of 1 for half of the impressions; nothing
   * for the others. Learnt in parts that take each other back, the amount ends where it does when
   * it is learnt once: at the mean.
   */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void partsOfAnAmountEndAtTheWholesMean(boolean inParts) {
    Pipeline pipeline = PipelineFile.parse(AMOUNTS.formatted(inParts ? "revise" : "wait"), "test");
    Random random = new Random(5);
    try (ModelTrainer trainer =
        new ModelTrainer(pipeline.context(pipeline.model("main")), pipeline.training())) {
      double mean = 0;
      for (int batch = 0; batch < 3000; batch++) {
        List<EncodedExample> examples = new ArrayList<>();
        for (int i = 0; i < 64; i++) {
          boolean buys = random.nextBoolean();
          double[] parts = inParts ? new double[] {2, 5, 4} : new double[] {4};
          int at = random.nextInt(parts.length);
          // In the mean over the stream every impression tells each of its parts once.
          examples.add(amount(random.nextInt(4), buys ? parts : new double[parts.length], at));
        }
        double predicted = mean(trainer.process(examples));
        mean += batch < 2000 ? 0 : predicted / 1000;
      }
      // Each record is one of three parts, and only the first teaches anything but a difference.
      assertThat(mean).isBetween(1.9, 2.1);
    }
  }

  private static double mean(float[][] predictions) {
    double sum = 0;
    for (float[] row : predictions) {
      sum += row[1];
    }
    return sum / predictions.length;
  }

  private static EncodedExample amount(int value, double[] parts, int at) {
    TaskLabel.Before before = at == 0 ? null : new TaskLabel.Before(parts[at - 1], true);
    LabelKind kind = at == parts.length - 1 ? LabelKind.FINAL : LabelKind.FIRST;
    TaskLabel[] labels = {TaskLabel.NONE, new TaskLabel(kind, parts[at], 1, 0, -1, true, before)};
    return new EncodedExample(
        7, 0, false, new long[] {1 + value}, new int[] {0, 1}, labels, new float[0]);
  }
}
