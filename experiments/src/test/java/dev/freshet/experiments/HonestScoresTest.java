package dev.freshet.experiments;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.RawFeatures;
import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.labels.TaskKind;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.training.ModelTrainer;
import dev.freshet.training.ScoredExample;
import dev.freshet.training.TrainerSnapshot;
import dev.freshet.training.evaluation.QualityAccumulator;
import dev.freshet.training.evaluation.QualityMetric;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Outcomes that nothing foretells, and a field with a value of its own in each impression: a model
 * can remember what became of an impression and nothing else. The truth's AUC is 0.5; whatever is
 * better has been told.
 */
class HonestScoresTest {

  private static final int IMPRESSIONS = 6000;
  private static final long MINUTE = 60_000;
  private static final long START = 1_767_225_600_000L;

  private static Pipeline pipeline(String correction, String amounts, String at, String model) {
    return pipeline(correction, amounts, at, model, 1);
  }

  private static Pipeline pipeline(
      String correction, String amounts, String at, String model, double unreached) {
    return PipelineFile.parse(
        """
        pipeline: honest
        tasks:
          - {name: click, kind: binary, window: 10m, waiting: 2m, correction: %s}
          - {name: purchase, kind: binary, after: click, window: 60m, waiting: 5m, correction: %s}
          - {name: revenue, kind: continuous, after: purchase, window: 60m, correction: %s, transform: log1p}
        features:
          - {name: unique, kind: categorical, dim: 8, admit-after: 1}
          - {name: clicks, kind: count, of: click, by: unique, half-life: 1h}
          - {name: bought, kind: count, of: purchase, per: impression, by: unique, half-life: 1h, least: 0.1}
        models:
          - {name: main, %s}
        training:
          batch: 64
          dense: {rate: 1e-2}
          embeddings: {rate: 0.5, start: 1e-9}
          scoring: {window: 0%s}
          unreached-sampling: %s
        """
            .formatted(correction, correction, amounts, model, at, unreached),
        "test");
  }

  /** What the job's join makes of clicks and purchases that come when they like. */
  private static List<EncodedExample> examples(Pipeline pipeline) {
    EventJoin join = new EventJoin(pipeline, false);
    SplittableRandom random = new SplittableRandom(4);
    for (int i = 0; i < IMPRESSIONS; i++) {
      String id = "i" + i;
      long time = START + i * 1000L;
      RawFeatures features =
          new RawFeatures(new String[][] {{"only " + id}}, new double[] {Double.NaN, Double.NaN});
      join.add(new Impression(id, time, features, null));
      if (random.nextDouble() < 0.4) {
        long click = time + random.nextLong(8 * MINUTE);
        join.add(new Feedback(id, "c" + id, 0, click, 1));
        if (random.nextDouble() < 0.4) {
          long purchase = click + random.nextLong(50 * MINUTE);
          join.add(new Feedback(id, "p" + id, 1, purchase, 1));
          double amount = Math.exp(random.nextDouble(0, 3));
          join.add(new Feedback(id, "r" + id, 2, purchase + MINUTE, amount));
        }
      }
    }
    return join.finish(new EarlyTruth(false, null), Duration.ZERO).all();
  }

  static Stream<Arguments> ways() {
    return Stream.of("wait", "settled", "window", "fnw", "fnc", "es-dfm", "defer", "defuse")
        .flatMap(
            correction ->
                Stream.of("kind: shared-bottom", "kind: htlnet")
                    .map(model -> Arguments.of(correction, "wait", "", model)));
  }

  static Stream<Arguments> others() {
    return Stream.of(
        Arguments.of("wait", "revise", "", "kind: esmm"),
        Arguments.of("wait", "wait", ", at: impression", "kind: shared-bottom"),
        Arguments.of("wait", "wait", ", pending: 500", "kind: shared-bottom"));
  }

  @ParameterizedTest
  @MethodSource({"ways", "others"})
  void nobodyKnowsMoreThanThereIsToKnow(
      String correction, String amounts, String at, String model) {
    Pipeline pipeline = pipeline(correction, amounts, at, model);
    try (ModelTrainer trainer = trainer(pipeline)) {
      feed(trainer, examples(pipeline));
      double noise = trainer.scores().share() < 1 ? 0.12 : 0.05;
      for (String task : List.of("click", "purchase")) {
        assertThat(trainer.quality().value(task, QualityMetric.AUC))
            .as(task)
            .isBetween(0.5 - noise, 0.5 + noise);
      }
      assertThat(trainer.quality().value("revenue", QualityMetric.SPEARMAN)).isBetween(-0.1, 0.1);
      double examples = trainer.quality().value("purchase", QualityMetric.EXAMPLES);
      assertThat(trainer.scores().share()).isEqualTo(at.contains("pending") ? 0.0625 : 1);
      assertThat(examples / trainer.scores().share())
          .isBetween(0.7 * IMPRESSIONS, 1.2 * IMPRESSIONS);
      assertThat(trainer.scores().pending()).isLessThan(50);
    }
  }

  /** All labels are scored, whichever are learnt, and what is learnt of them gives nothing away. */
  @Test
  void whatIsOnlyScoredIsScoredAsHonestly() throws IOException {
    Map<Double, Map<String, Double>> scored = new HashMap<>();
    List<Double> calibrations = new ArrayList<>();
    for (double unreached : new double[] {1, 0.25}) {
      Pipeline pipeline = pipeline("wait", "wait", "", "kind: shared-bottom", unreached);
      List<EncodedExample> examples = examples(pipeline);
      try (ModelTrainer trainer = trainer(pipeline)) {
        feed(trainer, examples);
        // Of 6000 clicks' labels none, of the 6000 purchases' the 3600 without a click, and of the
        // revenues' the 5040 without a purchase.
        double left = (1 - unreached) * (0.6 + 0.84) * IMPRESSIONS;
        assertThat((double) trainer.onlyScored()).isBetween(0.93 * left, 1.07 * left);
        Map<String, Double> counts = new HashMap<>();
        for (String task : List.of("click", "purchase", "revenue")) {
          counts.put(task, trainer.quality().value(task, QualityMetric.EXAMPLES));
        }
        scored.put(unreached, counts);
        calibrations.add(trainer.quality().value("purchase", QualityMetric.CALIBRATION));
        calibrations.add(trainer.quality().value("revenue", QualityMetric.CALIBRATION));
        assertThat(trainer.quality().value("click", QualityMetric.AUC)).isBetween(0.45, 0.55);
        assertThat(trainer.quality().value("purchase", QualityMetric.AUC)).isBetween(0.45, 0.55);
        assertThat(snapshot(trainer)).isEqualTo(snapshotOfOneThatWasRestored(pipeline, examples));
      }
    }
    assertThat(scored.get(0.25)).isEqualTo(scored.get(1.0));
    // A model that remembers is too low; one that learns a share has less to remember.
    for (int task = 0; task < 2; task++) {
      assertThat(Math.abs(1 - calibrations.get(2 + task)))
          .as("%s", calibrations)
          .isLessThan(Math.abs(1 - calibrations.get(task)) + 0.05);
    }
  }

  private static byte[] snapshotOfOneThatWasRestored(
      Pipeline pipeline, List<EncodedExample> examples) throws IOException {
    byte[] half;
    try (ModelTrainer trainer = trainer(pipeline)) {
      feed(trainer, examples.subList(0, 6400));
      half = snapshot(trainer);
    }
    try (ModelTrainer trainer = trainer(pipeline)) {
      TrainerSnapshot.read(trainer, new ByteArrayInputStream(half));
      feed(trainer, examples.subList(6400, examples.size()));
      return snapshot(trainer);
    }
  }

  private static byte[] snapshot(ModelTrainer trainer) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    TrainerSnapshot.write(trainer, TrainerSnapshot.Surroundings.none(1), out);
    return out.toByteArray();
  }

  /** The trap works: just before its purchase label the model does remember the click. */
  @Test
  void aModelRemembersItsImpressions() {
    Pipeline pipeline = pipeline("wait", "wait", "", "kind: shared-bottom");
    QualityAccumulator late = new QualityAccumulator(TaskKind.BINARY);
    try (ModelTrainer trainer = trainer(pipeline)) {
      List<EncodedExample> examples = examples(pipeline);
      for (int i = 0; i < examples.size(); i += 64) {
        trainer.process(examples.subList(i, Math.min(i + 64, examples.size())));
        for (ScoredExample scored : trainer.scored()) {
          TaskLabel label = scored.example().labels()[1];
          if (label.isFinal() && scored.now() != null && Double.isFinite(scored.now()[1])) {
            late.add(scored.now()[1], label.value());
          }
        }
      }
      assertThat(late.value(QualityMetric.AUC)).isGreaterThan(0.6);
    }
  }

  private static ModelTrainer trainer(Pipeline pipeline) {
    return new ModelTrainer(pipeline.context(pipeline.model("main")), pipeline.training());
  }

  private static void feed(ModelTrainer trainer, List<EncodedExample> examples) {
    for (int i = 0; i < examples.size(); i += 64) {
      trainer.process(examples.subList(i, Math.min(i + 64, examples.size())));
    }
  }
}
