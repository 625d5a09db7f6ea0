package dev.freshet.benchmarks.step;

import dev.freshet.benchmarks.Raw;
import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.models.ModelDefinition;
import dev.freshet.core.models.ModelShape;
import dev.freshet.core.models.torch.HostBuffer;
import dev.freshet.core.models.torch.TorchEngine;
import dev.freshet.core.pipeline.TrainingSettings;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * What a script's {@code step} is handed besides the rows, for a batch all of whose labels are
 * known: as {@link dev.freshet.training.Learner} makes it, but that amounts are not scaled.
 */
final class StepArguments {

  /** Of amounts, which a trainer scales to about 1. */
  private static final float SCALE = 50;

  private final int batch;
  private final int tasks;
  private final float[] y;
  private final float[] w;
  private final float[] reached;

  /** Of each example a number of its own: no two are of the same user and item. */
  private final long[] same;

  /** Gumbel(0, 1) where the model draws some, else zeros. */
  private final float[] noise;

  private final float[] hyper;

  private final HostBuffer yBuffer;
  private final HostBuffer wBuffer;
  private final HostBuffer reachedBuffer;
  private final HostBuffer sameBuffer = new HostBuffer();
  private final HostBuffer noiseBuffer;
  private final HostBuffer hyperBuffer;

  StepArguments(
      List<EncodedExample> examples,
      ModelDefinition model,
      ModelShape shape,
      TrainingSettings settings) {
    batch = examples.size();
    tasks = shape.tasks();
    y = new float[batch * tasks];
    w = new float[batch * tasks];
    reached = new float[batch * tasks];
    same = new long[batch];
    for (int i = 0; i < batch; i++) {
      for (int task = 0; task < tasks; task++) {
        int at = i * tasks + task;
        float value = (float) examples.get(i).labels()[task].value();
        y[at] = task < shape.binary() ? value : value / SCALE;
        w[at] = 1;
        reached[at] = task == 0 ? 1 : Math.signum(y[at - 1]);
      }
      same[i] = i;
    }
    noise = new float[batch * model.noise(shape)];
    SplittableRandom random = new SplittableRandom(2);
    for (int i = 0; model.noisy() && i < noise.length; i++) {
      noise[i] = (float) -Math.log(-Math.log(random.nextDouble(1e-12, 1)));
    }
    hyper = hyper(batch, model, settings);
    yBuffer = buffer(y);
    wBuffer = buffer(w);
    reachedBuffer = buffer(reached);
    sameBuffer.longs(batch).put(same);
    noiseBuffer = buffer(noise);
    hyperBuffer = buffer(hyper);
  }

  /** By the names of {@link ModelDefinition#HYPER}, then the model's own. */
  private static float[] hyper(int batch, ModelDefinition model, TrainingSettings settings) {
    Double clip = settings.clipNorm();
    Map<String, Float> general =
        Map.of(
            "rate", (float) settings.dense().learningRate(),
            "decay", (float) settings.dense().decay(),
            "max_norm", (float) settings.maxNorm(),
            "epsilon", 0.01f / batch,
            "optimizer", (float) settings.dense().optimizer().ordinal(),
            "clip_norm", clip == null ? Float.POSITIVE_INFINITY : clip.floatValue(),
            "examples", (float) batch,
            "half", settings.products() == TrainingSettings.Products.BFLOAT16 ? 1f : 0f);
    float[] own = model.hyper(1000);
    float[] all = new float[ModelDefinition.HYPER.size() + own.length];
    for (int i = 0; i < ModelDefinition.HYPER.size(); i++) {
      all[i] = general.get(ModelDefinition.HYPER.get(i));
    }
    System.arraycopy(own, 0, all, ModelDefinition.HYPER.size(), own.length);
    return all;
  }

  private static HostBuffer buffer(float[] values) {
    HostBuffer buffer = new HostBuffer();
    buffer.floats(values.length).put(values);
    return buffer;
  }

  /** Adds all to a call that has the rows. */
  TorchEngine.Call addTo(TorchEngine.Call call) {
    return call.add("y", yBuffer, batch, tasks)
        .add("w", wBuffer, batch, tasks)
        .add("reached", reachedBuffer, batch, tasks)
        .add("same", sameBuffer, batch)
        .add("noise", noiseBuffer, batch, noise.length / batch)
        .addHost("hyper", hyperBuffer, hyper.length);
  }

  /** Writes each to a file of its own, whose name begins with {@code prefix}. */
  void write(Path folder, String prefix) throws IOException {
    Raw.write(folder.resolve(prefix + "y.f32"), y);
    Raw.write(folder.resolve(prefix + "w.f32"), w);
    Raw.write(folder.resolve(prefix + "reached.f32"), reached);
    Raw.write(folder.resolve(prefix + "same.i64"), same);
    Raw.write(folder.resolve(prefix + "noise.f32"), noise);
    Raw.write(folder.resolve(prefix + "hyper.f32"), hyper);
  }
}
