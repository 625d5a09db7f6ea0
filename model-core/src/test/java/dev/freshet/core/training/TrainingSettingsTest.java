package dev.freshet.core.training;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.pipeline.TestingPipelines;
import org.junit.jupiter.api.Test;

class TrainingSettingsTest {

  private static final String GIVEN = "batch: 64, ";

  @Test
  void theBatchGrowsWithWhatWasLearnt() {
    TrainingSettings growing = TestingPipelines.shop(GIVEN, "").training();
    assertThat(growing.batchAfter(0)).isEqualTo(128);
    assertThat(growing.batchAfter(6_400)).isEqualTo(128);
    assertThat(growing.batchAfter(20_000)).isEqualTo(400);
    assertThat(growing.batchAfter(1_000_000_000_000L)).isEqualTo(growing.largestBatch());
  }

  @Test
  void aBatchThatIsGivenStaysWhatItIs() {
    TrainingSettings given = TestingPipelines.shop().training();
    assertThat(given.batchAfter(0)).isEqualTo(64);
    assertThat(given.batchAfter(1_000_000)).isEqualTo(64);
    assertThat(given.largestBatch()).isEqualTo(64);
  }
}
