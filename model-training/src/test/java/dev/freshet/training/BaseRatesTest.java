package dev.freshet.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.freshet.core.network.ModelContext;
import dev.freshet.core.network.Network;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.core.rows.ServedRows;
import org.junit.jupiter.api.Test;

class BaseRatesTest {

  /** Of a thousand noes nothing can be told apart, and of a thousand yeses as little. */
  @Test
  void firstOrderWeightsGetTheirPaceFromTheRarerOutcome() {
    Pipeline pipeline = TestingPipelines.shop();
    ModelContext context = pipeline.context(pipeline.model("main"));
    try (Network network = new Network(context, context.tables(ServedRows::new))) {
      BaseRates rates = new BaseRates(context, network);
      assertThat(rates.pace(0)).isZero();
      see(rates, 0, 1000);
      assertThat(rates.pace(0)).isCloseTo(0.5f / 20.5f, within(1e-3f));
      see(rates, 1, 20);
      assertThat(rates.pace(0)).isCloseTo(0.5f, within(0.01f));
      see(rates, 1, 10_000);
      assertThat(rates.pace(0)).as("1000 noes among 11000").isGreaterThan(0.97f);
      assertThat(rates.pace(1)).as("a task without labels").isZero();
    }
  }

  private static void see(BaseRates rates, double label, int times) {
    for (int i = 0; i < times; i++) {
      rates.see(0, label, 1, 1);
    }
  }
}
