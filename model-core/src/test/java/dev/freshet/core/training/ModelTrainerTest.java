package dev.freshet.core.training;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelTrainerTest {

  private final Pipeline pipeline = TestingPipelines.shop();

  @ParameterizedTest
  @ValueSource(strings = {"main", "plain"})
  void learnsAToyProblem(String model) {
    List<EncodedExample> examples = TestingExamples.settled(pipeline, 64 * 400, 1);
    try (ModelTrainer trainer = trainer(model)) {
      feed(trainer, examples);
      assertThat(trainer.steps()).isEqualTo(400);
      assertThat(trainer.quality().get("click").get("auc")).isGreaterThan(0.72);
      assertThat(trainer.quality().get("purchase").get("auc")).isGreaterThan(0.70);
      assertThat(trainer.quality().get("purchase").get("calibration")).isBetween(0.85, 1.15);
      assertThat(trainer.quality().get("revenue").get("nrmse")).isLessThan(0.98);
      assertThat(trainer.quality().get("revenue").get("calibration")).isBetween(0.85, 1.15);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"main", "plain"})
  void restoreAndContinueEqualsNeverHavingStopped(String model) throws IOException {
    List<EncodedExample> examples = TestingExamples.settled(pipeline, 64 * 20, 2);
    byte[] straight;
    try (ModelTrainer trainer = trainer(model)) {
      feed(trainer, examples);
      straight = bytes(trainer, List.of());
    }
    byte[] half;
    List<EncodedExample> pending = examples.subList(640, 650);
    try (ModelTrainer trainer = trainer(model)) {
      feed(trainer, examples.subList(0, 640));
      half = bytes(trainer, pending);
    }
    try (ModelTrainer trainer = trainer(model)) {
      TrainerSnapshot.Surroundings around =
          TrainerSnapshot.read(trainer, new ByteArrayInputStream(half));
      assertThat(around.run()).isEqualTo(7);
      assertThat(around.batch()).usingRecursiveComparison().isEqualTo(pending);
      feed(trainer, examples.subList(640, examples.size()));
      assertThat(bytes(trainer, List.of())).isEqualTo(straight);
    }
  }

  private ModelTrainer trainer(String model) {
    return new ModelTrainer(pipeline.context(pipeline.model(model)), pipeline.training());
  }

  private static void feed(ModelTrainer trainer, List<EncodedExample> examples) {
    for (int i = 0; i < examples.size(); i += 64) {
      trainer.process(examples.subList(i, i + 64));
    }
  }

  private static byte[] bytes(ModelTrainer trainer, List<EncodedExample> pending)
      throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    TrainerSnapshot.write(
        trainer, new TrainerSnapshot.Surroundings(7, pending, new int[] {1, 2}), out);
    return out.toByteArray();
  }
}
