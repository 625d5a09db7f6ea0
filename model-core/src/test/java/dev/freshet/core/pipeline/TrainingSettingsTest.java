package dev.freshet.core.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.freshet.core.settings.InvalidSettingsException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TrainingSettingsTest {

  private static final String GIVEN = "batch: 64, ";

  @Test
  void theBatchGrowsWithWhatWasLearnt() {
    TrainingSettings growing = TestingPipelines.shop(GIVEN, "").training();
    assertThat(growing.batchAfter(0)).isEqualTo(16);
    assertThat(growing.batchAfter(3_200)).isEqualTo(16);
    assertThat(growing.batchAfter(20_000)).isEqualTo(100);
    assertThat(growing.batchAfter(1_000_000_000_000L)).isEqualTo(growing.largestBatch());
  }

  @Test
  void aBatchThatIsGivenStaysWhatItIs() {
    TrainingSettings given = TestingPipelines.shop().training();
    assertThat(given.batchAfter(0)).isEqualTo(64);
    assertThat(given.batchAfter(1_000_000)).isEqualTo(64);
    assertThat(given.largestBatch()).isEqualTo(64);
  }

  @Test
  void aRateThatIsNotGivenIsTheOptimizersOwn() {
    TrainingSettings usual = TestingPipelines.shop().training();
    assertThat(usual.embeddings().learningRate()).isEqualTo(0.05);
    assertThat(usual.dense().learningRate()).isEqualTo(1e-3);
    TrainingSettings others =
        with("embeddings: {optimizer: adam}, dense: {optimizer: sgd, rate: 0.2}").training();
    assertThat(others.embeddings().learningRate()).isEqualTo(RowOptimizers.ADAM.rate());
    assertThat(others.dense().learningRate()).isEqualTo(0.2);
  }

  /** One that is given as it is by default says nothing: what was learnt with it is the same. */
  @Test
  void theOwnRateIsAsNoRate() {
    assertThat(with("embeddings: {rate: 0.05}, dense: {rate: 0.001}").fingerprint())
        .isEqualTo(TestingPipelines.shop().fingerprint());
    assertThat(with("embeddings: {rate: 0.04}").fingerprint())
        .isNotEqualTo(TestingPipelines.shop().fingerprint());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "embeddings: {l1: 1}; training.embeddings.l1",
        "embeddings: {optimizer: adam, l2: 1}; training.embeddings.l2",
        "embeddings: {optimizer: ftrl, l1: -1}; training.embeddings.l1",
        "embeddings: {rate: 0}; training.embeddings.rate",
        "dense: {optimizer: sgd, rate: -1}; training.dense.rate",
        "clip-norm: 0; training.clip-norm"
      })
  void whatNoOptimizerCanDoIsRefused(String settings, String key) {
    assertThatThrownBy(() -> with(settings))
        .isInstanceOf(InvalidSettingsException.class)
        .hasMessageContaining(key);
  }

  private static Pipeline with(String settings) {
    return TestingPipelines.shop("training: {", "training: {" + settings + ", ");
  }
}
