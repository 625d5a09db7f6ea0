package dev.freshet.training;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.features.TestingExamples;
import dev.freshet.core.labels.correction.DelayCorrections;
import dev.freshet.core.models.torch.TestingDevices;
import dev.freshet.core.models.torch.TorchDevice;
import dev.freshet.core.network.ModelContext;
import dev.freshet.core.network.Network;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.core.rows.ServedRows;
import dev.freshet.core.snapshot.Precision;
import dev.freshet.core.snapshot.WeightTensors;
import dev.freshet.core.snapshot.WeightsLoader;
import dev.freshet.training.publishing.PublishingGate;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * All that the host does to weights between steps, with weights that it can only copy. The device
 * computes on the processor, so that every bit is the host's; what each model computes there is in
 * {@link dev.freshet.core.models.MultiTaskModelContractTest}.
 */
class SecondDeviceTest {

  private static final TorchDevice APART = TestingDevices.APART;

  /** The host's trainer and the device's, kept at the same examples. */
  private record Pair(ModelTrainer host, ModelTrainer there) implements AutoCloseable {

    static Pair of(Pipeline pipeline, String model) {
      ModelContext context = pipeline.context(pipeline.model(model));
      return new Pair(
          new ModelTrainer(context, pipeline.training()),
          new ModelTrainer(context, pipeline.training(), APART));
    }

    void process(List<EncodedExample> batch) {
      assertThat(there.process(batch)).isDeepEqualTo(host.process(batch));
      assertThat(there.leftOut()).isEqualTo(host.leftOut());
    }

    void same() throws IOException {
      assertThat(snapshot(there)).isEqualTo(snapshot(host));
    }

    @Override
    public void close() {
      host.close();
      there.close();
    }
  }

  private static byte[] snapshot(ModelTrainer trainer) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    TrainerSnapshot.write(trainer, TrainerSnapshot.Surroundings.none(1), out);
    return out.toByteArray();
  }

  private static void read(ModelTrainer trainer, byte[] snapshot) throws IOException {
    TrainerSnapshot.read(trainer, new ByteArrayInputStream(snapshot));
  }

  @ParameterizedTest
  @EnumSource(
      mode = Mode.EXCLUDE,
      names = {"REVISE"})
  void delayHeadsGuessTheSame(DelayCorrections correction) throws IOException {
    Pipeline pipeline = DelayedTrainingTest.pipeline(correction);
    List<EncodedExample> stream = DelayedTrainingTest.stream(correction, 3000);
    try (Pair pair = Pair.of(pipeline, "main");
        Pair restored = Pair.of(pipeline, "main")) {
      int half = stream.size() / 2;
      feed(pair, stream.subList(0, half));
      pair.same();
      read(restored.host, snapshot(pair.there));
      read(restored.there, snapshot(pair.host));
      feed(restored, stream.subList(half, stream.size()));
      restored.same();
    }
  }

  private static void feed(Pair pair, List<EncodedExample> examples) {
    for (int i = 0; i + 128 <= examples.size(); i += 128) {
      pair.process(examples.subList(i, i + 128));
    }
  }

  /**
   * A batch that is left out leaves weights, and the biases that had moved before, as they were.
   */
  @Test
  void whatIsNotLearntIsTakenBack() throws IOException {
    float[] norms = new float[12];
    Pipeline unbounded = TestingPipelines.shop();
    try (Pair pair = Pair.of(unbounded, "plain")) {
      for (int i = 0; i < norms.length; i++) {
        pair.process(TestingExamples.settled(unbounded, 64, i));
        norms[i] = pair.host.norm();
      }
    }
    Arrays.sort(norms);
    String bound = "training: {max-norm: " + norms[norms.length / 2] + ", max-skipped: 100, ";
    Pipeline pipeline = TestingPipelines.shop("training: {", bound);
    try (Pair pair = Pair.of(pipeline, "plain")) {
      int left = 0;
      for (int i = 0; i < 12; i++) {
        pair.process(TestingExamples.settled(pipeline, 64, i));
        left += pair.there.leftOut() == null ? 0 : 1;
      }
      assertThat(left).as("batches left out").isBetween(1, 11);
      pair.same();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"adam", "adagrad", "sgd"})
  void anotherOptimiserStartsAnew(String optimizer) throws IOException {
    Pipeline before = TestingPipelines.shop();
    Pipeline after =
        TestingPipelines.shop("training: {", "training: {dense: {optimizer: " + optimizer + "}, ");
    try (Pair first = Pair.of(before, "main");
        Pair pair = Pair.of(after, "main")) {
      for (int i = 0; i < 3; i++) {
        first.process(TestingExamples.settled(before, 64, i));
      }
      read(pair.host, snapshot(first.host));
      read(pair.there, snapshot(first.host));
      for (int i = 3; i < 6; i++) {
        pair.process(TestingExamples.settled(after, 64, i));
      }
      pair.same();
    }
  }

  /** Learnt on one device, published, served on another. */
  /** However many trainers are asked for: threads of the host have nothing to compute there. */
  @Test
  void aStepIsNotSharedThere() throws IOException {
    Pipeline alone = TestingPipelines.shop();
    Pipeline shared = TestingPipelines.shop("training: {", "training: {trainers: 3, ");
    ModelContext context = alone.context(alone.model("main"));
    try (Pair pair =
        new Pair(
            new ModelTrainer(context, alone.training()),
            new ModelTrainer(context, shared.training(), APART))) {
      feed(pair, TestingExamples.settled(alone, 640, 3));
      pair.same();
    }
  }

  @Test
  void publishedWeightsAreTakenOver() throws IOException {
    Pipeline pipeline = TestingPipelines.shop();
    try (Pair pair = Pair.of(pipeline, "main")) {
      for (int i = 0; i < 3; i++) {
        pair.process(TestingExamples.settled(pipeline, 64, i));
      }
      ByteArrayOutputStream payload = new ByteArrayOutputStream();
      WeightTensors.base(pair.there.network(), pair.there.learner().tables(), Precision.FLOAT32)
          .write(payload);
      ModelContext context = pair.host.context();
      List<ServedRows> rows = context.tables(ServedRows::new);
      try (Network served = new Network(context, rows, TestingDevices.APART)) {
        new WeightsLoader(served, rows).base(ByteBuffer.wrap(payload.toByteArray())).run();
        List<EncodedExample> batch = TestingExamples.settled(pipeline, 64, 7);
        served.numbers(pair.host.numbers());
        assertThat(served.predict(batch)).isDeepEqualTo(pair.host.network().predict(batch));
      }
    }
  }

  /** The version in use predicts with its own weights while training goes on with others. */
  @Test
  void theGateComparesWithTheVersionInUse() throws IOException {
    Pipeline pipeline = TestingPipelines.shop();
    try (Pair pair = Pair.of(pipeline, "plain")) {
      List<ModelTrainer> both = List.of(pair.host, pair.there);
      List<PublishingGate> gates = new ArrayList<>();
      both.forEach(trainer -> gates.add(new PublishingGate(pipeline.publishing().gate())));
      for (int i = 0; i < 60; i++) {
        pair.process(TestingExamples.settled(pipeline, 64, i));
        for (int j = 0; j < 2; j++) {
          gates.get(j).scored(both.get(j).scored());
          if (i % 20 == 10) {
            assertThat(gates.get(j).check(both.get(j), false, 1000)).isEmpty();
            gates.get(j).announced(both.get(j), false, 1000);
          }
        }
      }
      List<EncodedExample> batch = TestingExamples.settled(pipeline, 50, 99);
      float[][] now = pair.host.network().predict(batch);
      float[][] kept = pair.host.learner().predictAsKept(batch);
      assertThat(pair.there.learner().predictAsKept(batch)).isDeepEqualTo(kept);
      assertThat(kept).as("of weights that are others").isNotEqualTo(now);
      assertThat(pair.there.network().predict(batch)).isDeepEqualTo(now);
      pair.same();
      for (int j = 0; j < 2; j++) {
        both.get(j).network().weights().get(1).write(0, Float.NaN);
        assertThat(gates.get(j).check(both.get(j), true, 2000).orElseThrow().reason())
            .isEqualTo(PublishingGate.Reason.NOT_FINITE);
      }
    }
  }
}
