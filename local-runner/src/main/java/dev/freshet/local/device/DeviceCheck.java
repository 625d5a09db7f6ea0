package dev.freshet.local.device;

import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.labels.LabelKind;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.models.torch.TorchDevice;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.training.ModelTrainer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Compares a device with the processor: what a model predicts and learns there, and how fast. The
 * examples are made up: {@value #FIELDS} fields of {@value #DIM} floats with skewed values, a
 * click, a purchase and an amount.
 */
public final class DeviceCheck {

  /** Largest difference of a prediction or weight that is put down to rounding. */
  public static final double TOLERANCE = 1e-4;

  private static final int FIELDS = 24;
  private static final int DIM = 16;
  private static final int VALUES = 100_000;
  private static final int STEP = 256;

  private final Pipeline pipeline;

  /**
   * @param kind of model, as in a pipeline file, with its usual settings
   */
  public DeviceCheck(String kind) {
    StringBuilder file = new StringBuilder("pipeline: device\ntasks:\n");
    file.append("  - {name: click, kind: binary, window: 1m}\n");
    file.append("  - {name: purchase, kind: binary, after: click, window: 1m}\n");
    file.append("  - {name: revenue, kind: continuous, after: purchase, window: 1m}\nfeatures:\n");
    for (int i = 0; i < FIELDS; i++) {
      file.append(
          "  - {name: f%d, kind: categorical, dim: %d, admit-after: 1}%n".formatted(i, DIM));
    }
    file.append("models: [{name: main, kind: ").append(kind).append("}]\n");
    pipeline = PipelineFile.parse(file.toString(), "device");
  }

  private ModelTrainer trainer(TorchDevice device) {
    return new ModelTrainer(
        pipeline.context(pipeline.models().get(0)), pipeline.training(), device);
  }

  /**
   * Two steps on the processor and on the device from the same start.
   *
   * @return the largest difference of a prediction before and after the first, and of a dense
   *     weight after the second, relative where they are above 1; NaN if one is not a number
   */
  public double difference(TorchDevice device) {
    try (ModelTrainer host = trainer(TorchDevice.HOST);
        ModelTrainer there = trainer(device)) {
      double largest = 0;
      for (int step = 0; step < 2; step++) {
        List<EncodedExample> batch = batch(STEP, step);
        float[][] expected = host.process(batch);
        float[][] found = there.process(batch);
        for (int i = 0; i < expected.length; i++) {
          largest = largest(largest, expected[i], found[i]);
        }
      }
      for (int i = 0; i < host.network().weights().size(); i++) {
        float[] expected = host.network().weights().get(i).copy();
        largest = largest(largest, expected, there.network().weights().get(i).copy());
      }
      return largest;
    }
  }

  private static double largest(double before, float[] expected, float[] found) {
    double largest = before;
    for (int i = 0; i < expected.length; i++) {
      double off = Math.abs((double) expected[i] - found[i]);
      // Math.max is NaN if one of the two is.
      largest = Math.max(largest, off / Math.max(1, Math.abs(expected[i])));
    }
    return largest;
  }

  /**
   * Examples a second that are predicted, scored and learnt in batches of a size, after one to get
   * warm.
   *
   * @param atLeast how long is measured; two batches are done whatever they take
   */
  public double examplesPerSecond(TorchDevice device, int size, Duration atLeast) {
    List<List<EncodedExample>> batches = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      batches.add(batch(size, i));
    }
    try (ModelTrainer trainer = trainer(device)) {
      trainer.process(batches.get(0));
      long start = System.nanoTime();
      long done = 0;
      while (done < 2 || System.nanoTime() - start < atLeast.toNanos()) {
        trainer.process(batches.get((int) (++done % batches.size())));
      }
      return done * size / ((System.nanoTime() - start) / 1e9);
    }
  }

  private List<EncodedExample> batch(int size, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    List<EncodedExample> batch = new ArrayList<>();
    for (int i = 0; i < size; i++) {
      long[] keys = new long[FIELDS];
      int[] starts = new int[FIELDS + 1];
      for (int field = 0; field < FIELDS; field++) {
        long value = 1 + (long) (VALUES * Math.pow(random.nextDouble(), 3));
        keys[field] = (value * FIELDS + field) * 0x9E3779B97F4A7C15L;
        starts[field + 1] = field + 1;
      }
      boolean click = random.nextDouble() < 0.2;
      boolean purchase = click && random.nextDouble() < 0.3;
      TaskLabel[] labels = {
        label(click ? 1 : 0, true),
        label(purchase ? 1 : 0, click),
        label(purchase ? 1 + 20 * random.nextDouble() : 0, purchase)
      };
      long id = random.nextLong();
      batch.add(new EncodedExample(id, 0, false, keys, starts, labels, new float[0]));
    }
    return batch;
  }

  private static TaskLabel label(double value, boolean reached) {
    return new TaskLabel(LabelKind.FINAL, value, 1, 0, -1, reached);
  }
}
