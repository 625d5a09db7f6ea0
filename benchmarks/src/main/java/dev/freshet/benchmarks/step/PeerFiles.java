package dev.freshet.benchmarks.step;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.benchmarks.Raw;
import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.models.torch.TensorValues;
import dev.freshet.core.models.torch.TorchEngine;
import dev.freshet.core.pipeline.TrainingSettings;
import dev.freshet.core.rows.BatchRows;
import dev.freshet.training.rows.EmbeddingTable;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What a peer is handed: the model as a TorchScript archive, of which it takes the settings and the
 * dense weights, all rows, and the batches, in which a key is the number of its row. And what a
 * step on the first batch predicted here and which gradients it had.
 */
final class PeerFiles {

  private static final double BETA1 = 0.9;

  private PeerFiles() {}

  /** Writes all into a folder; the trainer takes a step on the first batch. */
  static void write(StepCase of, Path folder) throws IOException {
    try (OutputStream out = Files.newOutputStream(folder.resolve("model.pt"))) {
      of.network().writeGraph(out);
    }
    List<EmbeddingTable> tables = of.tables();
    for (int i = 0; i < tables.size(); i++) {
      Raw.write(folder.resolve("table-" + i + ".f32"), values(tables.get(i)));
    }
    for (int i = 0; i < of.batches().size(); i++) {
      Raw.write(folder.resolve("batch-" + i + "-rows.i64"), rows(of.batches().get(i), tables));
      of.arguments().get(i).write(folder, "batch-" + i + "-");
    }
    TrainingSettings.Embeddings settings = of.settings().embeddings();
    new ObjectMapper()
        .writeValue(
            folder.resolve("case.json").toFile(),
            Map.of(
                "tables", tables.size(),
                "width", tables.get(0).width(),
                "dim", tables.get(0).dim(),
                "fields", StepCase.FIELDS,
                "batches", of.batches().size(),
                "rate", settings.learningRate(),
                "start", settings.start(),
                "first_rate", settings.firstOrder()));
    step(of, folder);
  }

  private static float[] values(EmbeddingTable table) {
    FloatBuffer all = FloatBuffer.allocate(table.size() * table.width());
    for (int row = 0; row < table.size(); row++) {
      table.read(row, all);
    }
    return all.array();
  }

  /** The same in all tables, which were filled alike. */
  private static long[] rows(List<EncodedExample> batch, List<EmbeddingTable> tables) {
    long[] rows = new long[batch.size() * StepCase.FIELDS];
    for (int i = 0; i < rows.length; i++) {
      int field = i % StepCase.FIELDS;
      long key = batch.get(i / StepCase.FIELDS).keys()[field];
      rows[i] = tables.get(0).find(key, field);
      for (EmbeddingTable table : tables) {
        if (table.find(key, field) != rows[i]) {
          throw new IllegalStateException("tables that were filled alike have other rows");
        }
      }
    }
    return rows;
  }

  private static void step(StepCase of, Path folder) throws IOException {
    List<float[]> before = moments(of);
    of.gather(0);
    try (TorchEngine.Call call = of.network().call("step")) {
      List<FloatBuffer> out = of.arguments().get(0).addTo(call).run();
      Raw.write(folder.resolve("said.f32"), copy(out.get(2)));
      for (int i = 0; i < of.tables().size(); i++) {
        BatchRows rows = of.network().rows().get(i);
        long[] numbers = new long[rows.count()];
        for (int row = 0; row < numbers.length; row++) {
          numbers[row] = rows.row(row);
        }
        Raw.write(folder.resolve("gradient-" + i + "-rows.i64"), numbers);
        Raw.write(folder.resolve("gradient-" + i + ".f32"), copy(out.get(3 + i)));
      }
    }
    List<float[]> after = moments(of);
    for (int i = 0; i < after.size(); i++) {
      // Adam's first moment has moved by a tenth of the way to the gradient.
      float[] gradient = new float[after.get(i).length];
      for (int j = 0; j < gradient.length; j++) {
        gradient[j] = (float) ((after.get(i)[j] - BETA1 * before.get(i)[j]) / (1 - BETA1));
      }
      Raw.write(folder.resolve("dense-" + i + ".f32"), gradient);
    }
  }

  private static List<float[]> moments(StepCase of) {
    List<float[]> all = new ArrayList<>();
    for (TensorValues moment : of.network().slots().get(0)) {
      all.add(moment.copy());
    }
    return all;
  }

  private static float[] copy(FloatBuffer buffer) {
    float[] copy = new float[buffer.capacity()];
    buffer.get(0, copy);
    return copy;
  }
}
