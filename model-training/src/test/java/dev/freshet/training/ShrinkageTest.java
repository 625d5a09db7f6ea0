package dev.freshet.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.freshet.core.labels.Task;
import dev.freshet.core.labels.correction.DelayCorrections;
import dev.freshet.core.labels.correction.NegativeSampling;
import dev.freshet.core.network.AmountScale;
import dev.freshet.core.network.ModelContext;
import dev.freshet.core.network.Network;
import dev.freshet.core.network.ServedScale;
import dev.freshet.core.network.Shrinkage;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.core.rows.ServedRows;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What sets examples apart is served as far as it was true before, and no further. */
class ShrinkageTest {

  private static final double RATE = 0.1;

  private final Pipeline pipeline = TestingPipelines.shop();
  private final ModelContext context = pipeline.context(pipeline.models().get(0));
  private Network network;

  @BeforeEach
  void open() {
    network = new Network(context, context.tables(ServedRows::new));
  }

  @AfterEach
  void close() {
    network.close();
  }

  private static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  /**
   * A stream of yeses whose log-odds lie {@code slope} times as far from the base rate as a model
   * says.
   */
  private static void feed(
      Shrinkages shrinkages, BaseRates rates, double slope, int labels, SplittableRandom random) {
    double centre = Shrinkage.logOdds(RATE);
    for (int i = 0; i < labels; i++) {
      double apart = random.nextGaussian();
      double label = random.nextDouble() < sigmoid(centre + slope * apart) ? 1 : 0;
      shrinkages.begin();
      shrinkages.see(0, shrinkages.of(0, RATE), sigmoid(centre + apart), label);
      rates.see(0, label, 1, 1);
      shrinkages.learn();
    }
  }

  @Test
  void serves() {
    assertThat(Shrinkage.NONE.served(0.3)).isEqualTo(0.3);
    assertThat(new Shrinkage(0.1, 0).served(0.9)).isCloseTo(0.1, within(1e-12));
    double odds = Math.sqrt(0.5 / 0.5 * (0.2 / 0.8));
    assertThat(new Shrinkage(0.2, 0.5).served(0.5)).isCloseTo(odds / (1 + odds), within(1e-12));
    assertThat(new Shrinkage(0.2, 0.5).served(0)).isBetween(0.0, 1e-4);
    assertThat(new Shrinkage(0.2, 0.5).served(1)).isBetween(0.9999, 1.0);
    assertThat(new Shrinkage(0.2, 0.5).served(Double.NaN)).isNaN();
  }

  @Test
  void findsHowFarToBelieveAModel() {
    for (double slope : new double[] {0, 0.3, 0.7, 1}) {
      BaseRates rates = new BaseRates(context, network);
      Shrinkages shrinkages = new Shrinkages(rates, 2);
      feed(shrinkages, rates, slope, 50_000, new SplittableRandom(3));
      assertThat(shrinkages.of(0, RATE).slope()).isCloseTo(slope, within(0.05));
      assertThat(shrinkages.of(0, RATE).rate()).isEqualTo(RATE);
    }
  }

  @Test
  void believesLittleBeforeThereAreOutcomes() {
    BaseRates rates = new BaseRates(context, network);
    Shrinkages shrinkages = new Shrinkages(rates, 2);
    assertThat(shrinkages.of(0, Double.NaN)).as("nothing is known").isEqualTo(Shrinkage.NONE);
    assertThat(shrinkages.of(0, RATE).slope()).isEqualTo(0.01);
    feed(shrinkages, rates, 1, 50, new SplittableRandom(4));
    assertThat(shrinkages.of(0, RATE).slope()).isBetween(0.2, 0.8);
    assertThat(shrinkages.of(1, RATE).slope()).as("another task").isEqualTo(0.01);
  }

  /** A model that was wrong for a long time and then is right is believed soon. */
  @Test
  void turns() {
    BaseRates rates = new BaseRates(context, network);
    Shrinkages shrinkages = new Shrinkages(rates, 2);
    SplittableRandom random = new SplittableRandom(5);
    feed(shrinkages, rates, -1, 20_000, random);
    assertThat(shrinkages.of(0, RATE).slope()).isEqualTo(0.01);
    feed(shrinkages, rates, 1, 20_000, random);
    assertThat(shrinkages.of(0, RATE).slope()).isGreaterThan(0.45);
  }

  /** A batch that is left out of the learning teaches no slope. */
  @Test
  void forgetsWhatIsLeftOut() throws IOException {
    BaseRates rates = new BaseRates(context, network);
    Shrinkages shrinkages = new Shrinkages(rates, 2);
    feed(shrinkages, rates, 0.5, 1000, new SplittableRandom(6));
    byte[] before = bytes(shrinkages);
    shrinkages.begin();
    shrinkages.see(0, shrinkages.of(0, RATE), 0.9, 0);
    shrinkages.begin();
    shrinkages.learn();
    assertThat(bytes(shrinkages)).isEqualTo(before);
  }

  @Test
  void restoreAndContinueEqualsNeverHavingStopped() throws IOException {
    BaseRates rates = new BaseRates(context, network);
    Shrinkages straight = new Shrinkages(rates, 2);
    feed(straight, rates, 0.5, 1000, new SplittableRandom(6));
    Shrinkages restored = new Shrinkages(rates, 2);
    restored.read(new DataInputStream(new ByteArrayInputStream(bytes(straight))));
    for (Shrinkages each : List.of(straight, restored)) {
      each.begin();
      each.see(0, each.of(0, RATE), 0.7, 1);
      each.learn();
    }
    assertThat(bytes(restored)).isEqualTo(bytes(straight));
    assertThat(restored.of(0, RATE)).isEqualTo(straight.of(0, RATE));
  }

  /** Slopes of their own do not make a purchase likelier than the click that it needs. */
  @Test
  void keepsTheOrderOfSteps() {
    List<Task> tasks = context.tasks();
    ServedScale scale =
        new ServedScale(
            context,
            new AmountScale(Task.Transform.NONE, 0, 1, 1, 0, 0, 100),
            tasks.stream().map(task -> DelayCorrections.WAIT).toList(),
            NegativeSampling.NONE,
            List.of(new Shrinkage(0.1, 0.1), new Shrinkage(0.09, 1), Shrinkage.NONE));
    double[] served = scale.served(new float[] {0.5f, 0.4f, 7});
    assertThat(served[0]).isCloseTo(new Shrinkage(0.1, 0.1).served(0.5), within(1e-9));
    assertThat(served[1]).isEqualTo(served[0]);
    assertThat(served[2]).isEqualTo(7);
    assertThat(scale.served(new float[] {0.1f, 0.4f, 7})[1])
        .as("a model that keeps no order itself")
        .isEqualTo(0.4f);
  }

  private static byte[] bytes(Shrinkages of) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    of.write(new DataOutputStream(out));
    return out.toByteArray();
  }
}
