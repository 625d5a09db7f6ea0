package dev.freshet.core.publishing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.core.publishing.PublishingGate.Reason;
import dev.freshet.core.training.ModelTrainer;
import dev.freshet.core.training.TestingExamples;
import dev.freshet.core.training.embedding.EmbeddingTable;
import java.nio.FloatBuffer;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class PublishingGateTest {

  private final Pipeline pipeline = TestingPipelines.shop();
  private final PublishingGate gate = new PublishingGate(pipeline.publishing().gate());
  private ModelTrainer trainer;

  @BeforeEach
  void train() {
    trainer = new ModelTrainer(pipeline.context(pipeline.model("plain")), pipeline.training());
    for (int i = 0; i < 40; i++) {
      trainer.process(TestingExamples.settled(pipeline, 64, i));
    }
  }

  @AfterEach
  void close() {
    trainer.close();
  }

  @Test
  void soundWeightsPass() {
    assertThat(gate.check(trainer, false)).isEmpty();
    gate.announced(trainer.quality());
    assertThat(gate.check(trainer, true)).isEmpty();
  }

  @Test
  void aWeightThatIsNoNumberIsHeldBack() {
    trainer.network().weights().get(1).put(0, Float.NaN);
    refused(Reason.NOT_FINITE, "dense.");
    trainer.network().weights().get(1).put(0, Float.NEGATIVE_INFINITY);
    refused(Reason.NOT_FINITE, "dense.");
  }

  @Test
  void aLargeNormIsHeldBack() {
    trainer.network().weights().get(1).put(0, 5000);
    refused(Reason.LARGE_NORM, "has norm 5000");
  }

  @Test
  void rowsAreLookedAtWhereTheyChanged() {
    EmbeddingTable table = trainer.network().tables().get(0);
    table.published();
    table.update(table.find(1, 0), FloatBuffer.wrap(new float[table.dim()]), 0);
    assertThat(gate.check(trainer, true)).isEmpty();
    float[] broken = new float[table.dim()];
    broken[0] = Float.NaN;
    table.update(table.find(1, 0), FloatBuffer.wrap(broken), 0);
    refused(Reason.NOT_FINITE, "the embedding row of key");
    table.published();
    assertThat(gate.check(trainer, true)).as("no change, no look").isEmpty();
    assertThat(gate.check(trainer, false)).isPresent();
  }

  @Test
  void aMuchWorseScoreIsHeldBack() {
    double now = trainer.quality().get("click").get("normalizedEntropy");
    gate.announced(Map.of("click", Map.of("examples", 5000.0, "normalizedEntropy", now / 1.4)));
    assertThat(gate.check(trainer, true)).as("40 % worse is allowed").isEmpty();
    gate.announced(Map.of("click", Map.of("examples", 5000.0, "normalizedEntropy", now / 1.6)));
    refused(Reason.WORSE_SCORE, "click's normalizedEntropy is");
    gate.announced(Map.of("click", Map.of("examples", 50.0, "normalizedEntropy", now / 1.6)));
    assertThat(gate.check(trainer, true)).as("too few examples to tell").isEmpty();
  }

  private void refused(Reason reason, String detail) {
    assertThat(gate.check(trainer, true))
        .hasValueSatisfying(
            refusal -> {
              assertThat(refusal.reason()).isEqualTo(reason);
              assertThat(refusal.detail()).contains(detail);
            });
  }
}
