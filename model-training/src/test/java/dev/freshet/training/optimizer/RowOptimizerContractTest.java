package dev.freshet.training.optimizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.RowOptimizers;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.core.pipeline.TrainingSettings;
import dev.freshet.training.rows.EmbeddingTable;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What every optimiser of the menu keeps; one is done when it is in the menu and this passes. */
class RowOptimizerContractTest {

  private static final int DIM = 8;
  private static final int FIRST = 2;
  private static final double RATE = 0.1;
  private static final double START = 0.01;
  private static final long DAY = 24 * 60 * 60 * 1000L;

  /** All of them, FTRL with and without what makes it another than Adagrad. */
  static Stream<Arguments> all() {
    return Stream.concat(
        Stream.of(RowOptimizers.values()).map(kind -> Arguments.of(kind, 0.0, 0.0)),
        Stream.of(Arguments.of(RowOptimizers.FTRL, 0.3, 2.0)));
  }

  /** Row by row in doubles, from the gradients as they were and not from what was remembered. */
  @ParameterizedTest
  @MethodSource("all")
  void stepsAreThoseOfTheOracle(RowOptimizers kind, double l1, double l2) {
    RowOptimizer optimizer = optimizer(kind, DIM, l1, l2);
    RowOracle oracle = new RowOracle(kind, RATE, START, l1, l2);
    Random random = new Random(7);
    float[] values = new float[3 * DIM];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian() / 10;
    }
    float[] before = values.clone();
    float[] slots = new float[3 * optimizer.slots()];
    oracle.start(values, DIM, DIM);
    int zeros = 0;
    for (int step = 0; step < 300; step++) {
      int examples = 1 + random.nextInt(50);
      float[] gradient = new float[DIM + 1];
      for (int i = 1; i <= DIM && step % 10 != 3; i++) {
        gradient[i] = random.nextInt(4) == 0 ? 0 : (float) random.nextGaussian() / examples;
      }
      boolean moved = optimizer.step(values, DIM, slots, optimizer.slots(), gradient, 1, examples);
      assertThat(moved).isEqualTo(step % 10 != 3);
      double[] expected = oracle.step(gradient, 1, examples);
      for (int i = 0; i < DIM; i++) {
        assertThat((double) values[DIM + i])
            .as("%s, step %s, weight %s", kind, step, i)
            .isCloseTo(expected[i], within(2e-5));
        zeros += expected[i] == 0 ? 1 : 0;
      }
    }
    assertThat(zeros > 0).as("weights at zero are what l1 is for").isEqualTo(l1 > 0);
    for (int i = 0; i < DIM; i++) {
      assertThat(values[i]).as("the row before").isEqualTo(before[i]);
      assertThat(values[2 * DIM + i]).as("the row behind").isEqualTo(before[2 * DIM + i]);
    }
    for (int i = 0; i < optimizer.slots(); i++) {
      assertThat(slots[i]).isZero();
      assertThat(slots[2 * optimizer.slots() + i]).isZero();
    }
  }

  @ParameterizedTest
  @MethodSource("all")
  void aGradientOfZeroIsNoStep(RowOptimizers kind, double l1, double l2) {
    RowOptimizer optimizer = optimizer(kind, DIM, l1, l2);
    float[] values = {1, 2, 3, 4, 5, 6, 7, 8};
    float[] slots = new float[optimizer.slots()];
    float[] some = new float[] {1, -1, 1, -1, 1, -1, 1, -1};
    optimizer.step(values, 0, slots, 0, some, 0, 1);
    float[] row = values.clone();
    float[] known = slots.clone();
    float[] none = new float[] {0, -0f, 0, 0, 0, 0, 0, 0};
    assertThat(optimizer.step(values, 0, slots, 0, none, 0, 9)).isFalse();
    assertThat(values).isEqualTo(row);
    assertThat(slots).isEqualTo(known);
  }

  /** What 100 examples teach does not depend on how the mean was taken. */
  @ParameterizedTest
  @MethodSource("all")
  void aStepIsByTheSum(RowOptimizers kind, double l1, double l2) {
    RowOptimizer optimizer = optimizer(kind, 2, l1, l2);
    float[] one = {0.5f, -0.5f};
    float[] other = {0.5f, -0.5f};
    float[] slots = new float[optimizer.slots()];
    float[] others = new float[optimizer.slots()];
    for (int i = 1; i < 20; i++) {
      optimizer.step(one, 0, slots, 0, new float[] {i, 64}, 0, 1);
      optimizer.step(other, 0, others, 0, new float[] {i / 64f, 1}, 0, 64);
    }
    assertThat(other).isEqualTo(one);
    assertThat(others).isEqualTo(slots);
  }

  @ParameterizedTest
  @MethodSource("all")
  void noGradientMakesAnythingInfinite(RowOptimizers kind, double l1, double l2) {
    RowOptimizer optimizer = optimizer(kind, 2, l1, l2);
    float[] values = {0.5f, -0.5f};
    float[] slots = new float[optimizer.slots()];
    for (float g : new float[] {1e-30f, -1e-20f, 1e18f, -1e-30f, 1, -1e18f}) {
      optimizer.step(values, 0, slots, 0, new float[] {g, -g}, 0, 1);
      for (float value : values) {
        assertThat(value).isFinite();
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void restoredRowsGoOnAsIfTheyHadNeverStopped(RowOptimizers kind) throws IOException {
    Random random = new Random(3);
    EmbeddingTable straight = table(kind);
    EmbeddingTable stopped = table(kind);
    for (int i = 0; i < 300; i++) {
      if (i % 100 == 50) {
        EmbeddingTable copy = table(kind);
        assertThat(copy.restore(in(stopped), 1)).isEqualTo(name(kind));
        stopped = copy;
      }
      long key = 1 + random.nextInt(20);
      float[] gradient = new float[DIM + FIRST];
      for (int j = 0; j < gradient.length; j++) {
        gradient[j] = (float) random.nextGaussian();
      }
      for (EmbeddingTable table : new EmbeddingTable[] {straight, stopped}) {
        int row = table.sight(key, 0, i * DAY);
        table.update(row, gradient, 0, 3, 1, 1);
        table.expire(i * DAY);
      }
    }
    assertThat(bytes(stopped)).isEqualTo(bytes(straight));
  }

  /** What is kept is looked at, and training goes on where it was. */
  @ParameterizedTest
  @EnumSource
  void exchangingKeptRowsLeavesNoTrace(RowOptimizers kind) throws IOException {
    EmbeddingTable straight = table(kind);
    EmbeddingTable kept = table(kind);
    for (int i = 0; i < 40; i++) {
      if (i == 10) {
        kept.keep();
      }
      if (i == 25) {
        byte[] now = bytes(kept);
        kept.swapKept();
        assertThat(bytes(kept)).isNotEqualTo(now);
        kept.swapKept();
        assertThat(bytes(kept)).isEqualTo(now);
      }
      learn(straight, 1 + i % 5, i);
      learn(kept, 1 + i % 5, i);
    }
    assertThat(bytes(kept)).isEqualTo(bytes(straight));
  }

  /** A row in the place of one that expired knows nothing of it. */
  @ParameterizedTest
  @EnumSource
  void aNewRowStartsWithoutThePastOfItsPlace(RowOptimizers kind) {
    EmbeddingTable fresh = table(kind);
    EmbeddingTable reused = table(kind);
    reused.sight(5, 0, 0);
    int place = learn(reused, 5, 0);
    learn(reused, 5, 0);
    assertThat(reused.expire(11 * DAY)).isEqualTo(1);
    reused.sight(7, 0, 11 * DAY);
    fresh.sight(7, 0, 11 * DAY);
    int row = 0;
    for (int i = 0; i < 3; i++) {
      row = learn(reused, 7, 11);
      learn(fresh, 7, 11);
    }
    assertThat(row).isEqualTo(place);
    assertThat(row(reused, 7)).isEqualTo(row(fresh, 7));
  }

  @ParameterizedTest
  @EnumSource
  void anotherOptimizersRowsAreKeptAndLearntAnew(RowOptimizers kind) throws IOException {
    for (RowOptimizers before : RowOptimizers.values()) {
      EmbeddingTable old = table(before);
      for (int i = 0; i < 10; i++) {
        learn(old, 5, i);
      }
      EmbeddingTable now = table(kind);
      assertThat(now.restore(in(old), 1)).isEqualTo(name(before));
      assertThat(row(now, 5)).isEqualTo(row(old, 5));
      float[] values = row(old, 5);
      learn(now, 5, 10);
      if (before != kind) {
        float[] slots = new float[optimizer(kind, DIM, 0, 1).slots()];
        float[] gradient = gradient(10);
        optimizer(kind, DIM, 0, 1).step(values, 0, slots, 0, gradient, 0, 3);
        for (int i = 0; i < DIM; i++) {
          assertThat(row(now, 5)[i]).as("%s after %s", kind, before).isEqualTo(values[i]);
        }
      }
      learn(old, 5, 10);
      for (int i = DIM; i < DIM + FIRST; i++) {
        assertThat(row(now, 5)[i]).as("first order").isEqualTo(row(old, 5)[i]);
      }
    }
  }

  private static RowOptimizer optimizer(RowOptimizers kind, int dim, double l1, double l2) {
    boolean ftrl = kind == RowOptimizers.FTRL;
    return RowOptimizer.of(
        new TrainingSettings.Embeddings(kind, RATE, START, ftrl ? l1 : 0, ftrl ? l2 : null, 0),
        dim);
  }

  private static EmbeddingTable table(RowOptimizers kind) {
    Pipeline pipeline =
        TestingPipelines.shop(
            "{name: user, kind: categorical, dim: 8, admit-after: 1}",
            "{name: user, kind: categorical, dim: 8, admit-after: 2, expire-after: 10d}");
    var settings = new TrainingSettings.Embeddings(kind, RATE, START, 0, null, 0.3);
    return EmbeddingTable.of(pipeline.context(pipeline.model("main")), settings).get(1);
  }

  private static int learn(EmbeddingTable table, long key, int day) {
    int row = table.sight(key, 0, day * DAY);
    table.update(row, gradient(day), 0, 3, 1, 1);
    return row;
  }

  private static float[] gradient(int seed) {
    float[] gradient = new float[DIM + FIRST];
    for (int i = 0; i < gradient.length; i++) {
      gradient[i] = (float) Math.sin(1 + seed + 3 * i);
    }
    return gradient;
  }

  private static float[] row(EmbeddingTable table, long key) {
    FloatBuffer into = FloatBuffer.allocate(table.width());
    table.read(table.find(key, 0), into);
    return into.array();
  }

  private static String name(RowOptimizers kind) {
    return kind.toString();
  }

  private static DataInputStream in(EmbeddingTable table) throws IOException {
    return new DataInputStream(new ByteArrayInputStream(bytes(table)));
  }

  private static byte[] bytes(EmbeddingTable table) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    table.write(new DataOutputStream(out));
    return out.toByteArray();
  }
}
