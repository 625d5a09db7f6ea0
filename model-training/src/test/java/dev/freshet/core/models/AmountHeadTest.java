package dev.freshet.core.models;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.labels.LabelKind;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.training.ModelTrainer;
import dev.freshet.training.evaluation.QualityMetric;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What the losses of the core task are for: amounts that are mostly zero, with a heavy tail. */
class AmountHeadTest {

  private static Map<QualityMetric, Double> quality(String transform, String loss) {
    Pipeline pipeline =
        PipelineFile.parse(
            """
            pipeline: amounts
            tasks:
              - {name: buys, kind: binary, window: 1m}
              - {name: revenue, kind: continuous, window: 1m, transform: %s}
            features: [{name: f, kind: categorical, dim: 4, admit-after: 1}]
            models: [{name: main, kind: shared-bottom, bottom: [8], tower: [8], amount: {loss: %s}}]
            training: {dense: {rate: 5e-3}, scoring: {window: 40000}}
            """
                .formatted(transform, loss),
            "test");
    Random random = new Random(1);
    try (ModelTrainer trainer =
        new ModelTrainer(pipeline.context(pipeline.models().get(0)), pipeline.training())) {
      for (int step = 0; step < 300; step++) {
        List<EncodedExample> batch = new ArrayList<>();
        for (int i = 0; i < 512; i++) {
          int f = random.nextInt(4);
          boolean buys = random.nextDouble() < 0.1 + 0.1 * f;
          double amount = buys ? 10 * Math.exp(0.5 * f + random.nextGaussian()) : 0;
          TaskLabel[] labels = {
            new TaskLabel(LabelKind.FINAL, buys ? 1 : 0, 1, 0, -1, true),
            new TaskLabel(LabelKind.FINAL, amount, 1, 0, -1, buys)
          };
          batch.add(
              new EncodedExample(
                  i, 0, false, new long[] {1 + f}, new int[] {0, 1}, labels, new float[0]));
        }
        trainer.process(batch);
      }
      return trainer.quality().byTask().get("revenue");
    }
  }

  /** The lognormal's mean is the amount's, tenth by tenth; the others' is in all. */
  @Test
  void everyHeadMeetsTheMean() {
    Map<QualityMetric, Double> ziln = quality("log1p", "ziln");
    assertThat(ziln.get(QualityMetric.CALIBRATION)).isBetween(0.9, 1.1);
    assertThat(ziln.get(QualityMetric.DECILE_MAPE)).isLessThan(0.2);
    assertThat(quality("log1p", "squared").get(QualityMetric.CALIBRATION)).isBetween(0.9, 1.1);
    assertThat(quality("log1p", "huber").get(QualityMetric.CALIBRATION)).isBetween(0.9, 1.1);
    assertThat(quality("zscore", "squared").get(QualityMetric.CALIBRATION)).isBetween(0.9, 1.1);
  }
}
