package dev.freshet.benchmarks;

import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.labels.LabelKind;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.core.settings.EnumNames;
import dev.freshet.core.snapshot.Manifest;
import dev.freshet.core.snapshot.ModelVersion;
import dev.freshet.core.snapshot.Precision;
import dev.freshet.training.ModelTrainer;
import dev.freshet.training.publishing.Lineage;
import dev.freshet.training.publishing.SnapshotWriter;
import dev.freshet.training.rows.EmbeddingTable;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * How large a delta is, and how long it takes to write, after so many examples on a table of a
 * million rows of 16 floats, beside its base: the floor of both is the base itself. Keys are as
 * skewed as in {@link BenchmarkTrainingStep}: a third of all lookups goes to one row in thirty.
 */
public final class DeltaSize {

  private static final int ROWS = 1_000_000;
  private static final int FIELDS = 8;
  private static final int BATCH = 1024;

  private DeltaSize() {}

  public static void main(String[] args) {
    System.out.println(
        "| precision | examples between versions | bytes | base / delta | ms to write |");
    System.out.println("| --- | --- | --- | --- | --- |");
    for (Precision precision : Precision.values()) {
      measure(precision);
    }
  }

  private static void measure(Precision precision) {
    Pipeline pipeline = pipeline(precision);
    SplittableRandom random = new SplittableRandom(1);
    try (ModelTrainer trainer =
        new ModelTrainer(pipeline.context(pipeline.model("main")), pipeline.training())) {
      EmbeddingTable table = trainer.learner().tables().get(0);
      for (int i = 1; i <= ROWS; i++) {
        table.sight(key(i), i % FIELDS, 0);
      }
      trainer.process(batch(random));
      SnapshotWriter writer = new SnapshotWriter(pipeline);
      Manifest base = publish(writer, trainer, precision, 0, 0);
      for (int batches : new int[] {1, 2, 5, 10, 20, 50, 100}) {
        for (int i = 0; i < batches; i++) {
          trainer.process(batch(random));
        }
        publish(writer, trainer, precision, batches * BATCH, base.bytes());
      }
    }
  }

  private static Manifest publish(
      SnapshotWriter writer, ModelTrainer trainer, Precision precision, int examples, long base) {
    long start = System.nanoTime();
    Manifest manifest =
        writer.write(
            trainer, new ModelVersion(1, trainer.steps()), Lineage.UNKNOWN, 0, record -> {});
    double millis = (System.nanoTime() - start) / 1e6;
    System.out.printf(
        "| %s | %s | %,d | %s | %.0f |%n",
        EnumNames.of(precision),
        base == 0 ? "base" : "%,d".formatted(examples),
        manifest.bytes(),
        base == 0 ? "1" : "%.1f".formatted((double) base / manifest.bytes()),
        millis);
    return manifest;
  }

  private static Pipeline pipeline(Precision precision) {
    StringBuilder file = new StringBuilder("pipeline: bench\ntasks:\n");
    file.append("  - {name: click, kind: binary, window: 1m}\n");
    file.append(Fields.features(FIELDS));
    file.append("models: [{name: main, kind: shared-bottom}]\n");
    file.append("publishing: {base-every: 100, largest-delta: 1, precision: ");
    file.append(EnumNames.of(precision)).append("}\n");
    return PipelineFile.parse(file.toString(), "benchmark");
  }

  private static long key(long i) {
    return i * 0x9E3779B97F4A7C15L;
  }

  private static List<EncodedExample> batch(SplittableRandom random) {
    List<EncodedExample> batch = new ArrayList<>();
    for (int j = 0; j < BATCH; j++) {
      long[] keys = new long[FIELDS];
      int[] starts = new int[FIELDS + 1];
      for (int i = 0; i < FIELDS; i++) {
        keys[i] = key(1 + (long) ((ROWS - 1) * Math.pow(random.nextDouble(), 3)));
        starts[i + 1] = i + 1;
      }
      double click = random.nextDouble() < 0.2 ? 1 : 0;
      TaskLabel[] labels = {new TaskLabel(LabelKind.FINAL, click, 1, 0, -1, true)};
      batch.add(
          new EncodedExample(random.nextLong(), 0, false, keys, starts, labels, new float[0]));
    }
    return batch;
  }
}
