package dev.freshet.training.publishing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.features.TestingExamples;
import dev.freshet.core.network.Network;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.core.rows.ServedRows;
import dev.freshet.core.snapshot.Precision;
import dev.freshet.core.snapshot.SafeTensors;
import dev.freshet.core.snapshot.WeightTensors;
import dev.freshet.core.snapshot.WeightsLoader;
import dev.freshet.training.ModelTrainer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class WeightsLoaderTest {

  // With rate 0 first-order weights stay what those of before are taken for.
  private final Pipeline pipeline =
      TestingPipelines.shop("training: {", "training: {embeddings: {first-order: 0}, ");

  private final List<ServedRows> rows =
      pipeline.context(pipeline.model("plain")).tables(ServedRows::new);

  /** Versions of format 2 have rows without first-order weights. */
  @Test
  void rowsOfBeforePredictWhatTheyDid() throws IOException {
    try (ModelTrainer trainer = trainer();
        Network network = new Network(trainer.context(), rows)) {
      List<EncodedExample> batch = TestingExamples.settled(pipeline, 50, 9);
      new WeightsLoader(network, rows).base(cut(trainer, trainer.context().shape().binary())).run();
      assertThat(network.predict(batch)).isDeepEqualTo(trainer.network().predict(batch));
    }
  }

  @Test
  void rowsOfNoKnownWidthAreRefused() throws IOException {
    try (ModelTrainer trainer = trainer();
        Network network = new Network(trainer.context(), rows)) {
      ByteBuffer narrow = cut(trainer, 1);
      assertThatThrownBy(() -> new WeightsLoader(network, rows).base(narrow))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("keys and rows do not match");
    }
  }

  private ModelTrainer trainer() {
    ModelTrainer trainer =
        new ModelTrainer(pipeline.context(pipeline.model("plain")), pipeline.training());
    for (int i = 0; i < 5; i++) {
      trainer.process(TestingExamples.settled(pipeline, 64, i));
    }
    return trainer;
  }

  /** A base whose rows lack their last {@code columns} floats. */
  private static ByteBuffer cut(ModelTrainer trainer, int columns) throws IOException {
    ByteArrayOutputStream whole = new ByteArrayOutputStream();
    WeightTensors.base(trainer.network(), trainer.learner().tables(), Precision.FLOAT32)
        .write(whole);
    Map<String, SafeTensors.Tensor> tensors =
        SafeTensors.read(ByteBuffer.wrap(whole.toByteArray()));
    SafeTensors.Writer writer = new SafeTensors.Writer();
    for (Map.Entry<String, SafeTensors.Tensor> entry : tensors.entrySet()) {
      SafeTensors.Tensor tensor = entry.getValue();
      if (entry.getKey().endsWith(".keys")) {
        var keys = tensor.longs();
        writer.longs(
            entry.getKey(),
            tensor.shape(),
            sink -> {
              for (int i = 0; i < keys.limit(); i++) {
                sink.value(keys.get(i));
              }
            });
        continue;
      }
      FloatBuffer values = tensor.floats();
      long[] shape = tensor.shape().clone();
      int width = (int) shape[shape.length - 1];
      int kept = entry.getKey().endsWith(".rows") ? width - columns : width;
      shape[shape.length - 1] = kept;
      writer.floats(
          entry.getKey(),
          shape,
          Precision.FLOAT32,
          sink -> {
            for (int at = 0; at < values.limit(); at += width) {
              sink.floats(values.slice(at, kept));
            }
          });
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    writer.write(out);
    return ByteBuffer.wrap(out.toByteArray());
  }
}
