package dev.freshet.replica;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ModelTopicTest {

  /** One chunk and what is around it, never less than many small ones. */
  @ParameterizedTest
  @CsvSource({"1KB, 262144", "256KB, 266240", "900KB, 925696"})
  void fetchesFollowTheChunks(String chunk, int expected) {
    Pipeline pipeline =
        TestingPipelines.shop("training:", "publishing: {chunk: " + chunk + "}\ntraining:");
    assertThat(ModelTopic.fetchBytes(pipeline)).isEqualTo(expected);
  }
}
