package dev.freshet.training;

import static java.util.Objects.requireNonNull;

import dev.freshet.core.codec.Bytes;
import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.features.NumberScale;
import dev.freshet.core.models.ModelDefinition;
import dev.freshet.core.models.ModelShape;
import dev.freshet.core.models.Parameter;
import dev.freshet.core.models.torch.HostBuffer;
import dev.freshet.core.models.torch.TensorValues;
import dev.freshet.core.models.torch.TorchDevice;
import dev.freshet.core.models.torch.TorchEngine;
import dev.freshet.core.network.ModelContext;
import dev.freshet.core.network.Network;
import dev.freshet.core.pipeline.TrainingSettings;
import dev.freshet.core.rows.Workers;
import dev.freshet.training.rows.BatchUpdate;
import dev.freshet.training.rows.EmbeddingTable;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;

/**
 * A {@link Network} that learns: with embedding tables, and with what the dense weights' optimiser
 * keeps. One thread at a time.
 *
 * <p>What the script's {@code step}, or {@code part_of}, is handed besides the batch: {@code y},
 * {@code w}, {@code reached} (B, K) and {@code same} (B,) as in {@link Targets}; {@code noise} (B,
 * n); {@code hyper}, by the names of {@link ModelDefinition#HYPER} and the model's own. It returns
 * losses, norm of the dense gradient, whether the step was taken and what share of them the
 * gradients of rows are clipped to, what its forward pass predicted (B, K), and the gradient of
 * each table's rows.
 */
public final class Learner implements AutoCloseable {

  /**
   * Of Adam and Adagrad, in the gradient of one example. Far above what rounding asks for: in
   * batches in which a rare outcome does not happen gradients are small but all say the same, and
   * these would scale them to full steps.
   */
  private static final float EPSILON = 0.01f;

  private final ModelContext context;
  private final ModelShape shape;
  private final List<EmbeddingTable> tables;
  private final Network network;

  /** Weights first, then what the optimiser keeps of them. */
  private final List<List<TensorValues>> dense = new ArrayList<>();

  /** As of {@link #keep}. */
  private Map<String, NumberScale> keptNumbers = Map.of();

  private final Workers workers;
  private final BatchUpdate update;
  private final StepCalls calls;

  private final HostBuffer labelBuffer = new HostBuffer();
  private final HostBuffer weightBuffer = new HostBuffer();
  private final HostBuffer reachedBuffer = new HostBuffer();
  private final HostBuffer sameBuffer = new HostBuffer();
  private final HostBuffer noiseBuffer = new HostBuffer();
  private final HostBuffer hyperBuffer = new HostBuffer();

  /** One whose start weights are drawn from {@code seed}, on the host. */
  public Learner(ModelContext context, long seed, TrainingSettings.Embeddings rows) {
    this(context, seed, rows, TorchDevice.HOST, 1);
  }

  /**
   * As above, with the dense weights on a device.
   *
   * @param rows how the embedding rows learn
   * @param device computes the steps; rows stay on the host
   * @param trainers threads that share a step; on a device apart it is one, whatever is said here
   */
  public Learner(
      ModelContext context,
      long seed,
      TrainingSettings.Embeddings rows,
      TorchDevice device,
      int trainers) {
    this.context = context;
    workers = StepCalls.workers(context.model().name(), device, trainers);
    update = new BatchUpdate(workers);
    shape = context.shape();
    tables = EmbeddingTable.of(context, rows);
    List<Parameter> parameters = context.model().dense(shape);
    List<TorchEngine.WeightGroup> slots =
        List.of(zeros("m", parameters), zeros("v", parameters), counters(parameters.size()));
    network = new Network(context, tables, seed, device, slots, workers);
    calls = new StepCalls(network, workers);
    dense.add(network.weights());
    dense.addAll(network.slots());
  }

  private static TorchEngine.WeightGroup zeros(String name, List<Parameter> parameters) {
    return new TorchEngine.WeightGroup(
        name,
        parameters.stream().map(parameter -> zero(parameter.size())).toList(),
        parameters.stream().map(Parameter::shape).toList());
  }

  private static TorchEngine.WeightGroup counters(int count) {
    return new TorchEngine.WeightGroup(
        "steps",
        Stream.generate(() -> zero(1)).limit(count).toList(),
        Stream.generate(() -> new long[0]).limit(count).toList());
  }

  private static HostBuffer zero(int size) {
    HostBuffer buffer = new HostBuffer();
    FloatBuffer floats = buffer.floats(size);
    while (floats.hasRemaining()) {
      floats.put(0);
    }
    return buffer;
  }

  /** The weights as they are now. */
  public Network network() {
    return network;
  }

  /** The embedding tables: set by set, one for each group of the schema. */
  public List<EmbeddingTable> tables() {
    return tables;
  }

  /** Remembers all weights as they are now, for {@link #predictAsKept}. */
  public void keep() {
    network.keep();
    tables.forEach(EmbeddingTable::keep);
    keptNumbers = network.numbers();
  }

  /**
   * As {@link Network#predict}, with the weights as of {@link #keep}; afterwards all is as it was.
   */
  public float[][] predictAsKept(List<EncodedExample> examples) {
    swapKept();
    try {
      return network.predict(examples);
    } finally {
      swapKept();
    }
  }

  private void swapKept() {
    network.swapKept();
    tables.forEach(EmbeddingTable::swapKept);
    Map<String, NumberScale> then = keptNumbers;
    keptNumbers = network.numbers();
    network.numbers(then);
  }

  /**
   * Targets that a batch learns: [example][task] but for the last.
   *
   * @param labels in the model's scale
   * @param importance weight in the loss; 0 masks
   * @param reached 1 where the step before happened, else 0
   * @param examples of a full batch, which weights are scaled to
   * @param same examples with equal values are of the same user and item
   * @param pace of each task's first-order weights, 0 to 1
   */
  record Targets(
      float[][] labels,
      float[][] importance,
      float[][] reached,
      long[] same,
      float examples,
      float[] pace) {}

  /**
   * Report of a step.
   *
   * @param losses of each task
   * @param said predictions of the step's own forward pass, with the weights before it: [example]
   *     [task]; as {@link Network#predict}, but with the noise of a model that has any
   * @param norm of the dense gradient
   * @param clipped true if a gradient was scaled down
   * @param taken false if a loss or a gradient was not finite or a gradient was too large: then
   *     nothing has changed
   */
  record StepReport(float[] losses, float[][] said, float norm, boolean clipped, boolean taken) {}

  /** One step on the gathered batch, rows and dense weights. */
  StepReport learn(Targets targets, TrainingSettings settings, long step) {
    int size = targets.same().length;
    fill(labelBuffer.floats(size * shape.tasks()), targets.labels());
    fill(weightBuffer.floats(size * shape.tasks()), targets.importance());
    fill(reachedBuffer.floats(size * shape.tasks()), targets.reached());
    sameBuffer.longs(size).put(targets.same());
    int width = context.model().noise(shape);
    gumbel(
        noiseBuffer.floats(size * width),
        new SplittableRandom(settings.seed() ^ step * 0x9E3779B97F4A7C15L));
    float clip =
        settings.clipNorm() == null ? Float.POSITIVE_INFINITY : settings.clipNorm().floatValue();
    int hyper = putHyper(targets, settings, clip, context.model().hyper(step));
    try (calls) {
      List<FloatBuffer> out =
          calls.run(
              size,
              call ->
                  call.add("y", labelBuffer, size, shape.tasks())
                      .add("w", weightBuffer, size, shape.tasks())
                      .add("reached", reachedBuffer, size, shape.tasks())
                      .add("same", sameBuffer, size)
                      .add("noise", noiseBuffer, size, width),
              call -> call.addHost("hyper", hyperBuffer, hyper));
      float[] losses = new float[shape.tasks()];
      out.get(0).get(0, losses);
      float norm = out.get(1).get(0);
      boolean taken = out.get(1).get(1) == 1;
      float share = out.get(1).get(2);
      for (int i = 0; taken && i < tables.size(); i++) {
        update.run(
            tables.get(i),
            network.rows().get(i),
            out.get(3 + i),
            share * targets.examples(),
            pace(i, targets.pace()));
      }
      float[][] said = Network.rows(out.get(2), size);
      return new StepReport(losses, said, norm, taken && (norm > clip || share < 1), taken);
    }
  }

  /**
   * Numbers that scripts know by the names of {@link ModelDefinition#HYPER}; how many numbers there
   * are.
   */
  private int putHyper(Targets targets, TrainingSettings settings, float clip, float[] own) {
    TrainingSettings.Dense dense = settings.dense();
    Map<String, Float> general =
        Map.of(
            "rate",
            (float) dense.learningRate(),
            "decay",
            (float) dense.decay(),
            "max_norm",
            (float) settings.maxNorm(),
            "epsilon",
            EPSILON / targets.examples(),
            "optimizer",
            (float) dense.optimizer().ordinal(),
            "clip_norm",
            clip,
            "examples",
            targets.examples(),
            "half",
            settings.products() == TrainingSettings.Products.BFLOAT16 ? 1f : 0f);
    int count = ModelDefinition.HYPER.size() + own.length;
    FloatBuffer hyper = hyperBuffer.floats(count);
    ModelDefinition.HYPER.forEach(name -> hyper.put(requireNonNull(general.get(name))));
    hyper.put(own);
    return count;
  }

  /** Of a table's first-order weights: where each task has rows of its own, of that task alone. */
  private float[] pace(int table, float[] ofTasks) {
    int groups = context.schema().groups().size();
    return tables.size() == groups ? ofTasks : new float[] {ofTasks[table / groups]};
  }

  private static void fill(FloatBuffer buffer, float[][] rows) {
    for (float[] row : rows) {
      buffer.put(row);
    }
  }

  private void gumbel(FloatBuffer noise, SplittableRandom random) {
    boolean draw = context.model().noisy();
    while (noise.hasRemaining()) {
      noise.put(draw ? (float) -Math.log(-Math.log(random.nextDouble(1e-12, 1))) : 0f);
    }
  }

  /** Drops rows that are past their field's limit. */
  int expire(long now) {
    int gone = 0;
    for (EmbeddingTable table : tables) {
      gone += table.expire(now);
    }
    return gone;
  }

  /**
   * Writes weights and every optimiser slot.
   *
   * @param settings with which the dense weights are learnt
   * @param rows false leaves out the rows of the tables
   */
  void write(DataOutput out, TrainingSettings.Dense settings, boolean rows) throws IOException {
    out.writeUTF(settings.optimizer().toString());
    for (List<TensorValues> group : dense) {
      out.writeInt(group.size());
      for (TensorValues values : group) {
        out.writeInt(values.size());
        Bytes.writeAll(out, values.read(), values.size());
      }
    }
    for (EmbeddingTable table : tables) {
      if (rows) {
        table.write(out);
      } else {
        table.writeHead(out);
      }
    }
  }

  /**
   * The inverse of {@link #write}. What another optimiser remembers is of no use: weights go on
   * from where they are, the optimiser starts anew.
   *
   * @param version of the trainer's snapshot
   * @param withRows false if the rows of the tables are elsewhere
   * @param settings as of now
   * @return which weights start with a new optimiser, in words; none if all go on
   * @throws IOException if the bytes are of a model of another shape
   */
  List<String> read(DataInput in, int version, boolean withRows, TrainingSettings settings)
      throws IOException {
    List<String> anew = new ArrayList<>();
    String optimizer = settings.dense().optimizer().toString();
    String learntWith =
        version >= TrainerSnapshot.WITH_OPTIMIZERS
            ? in.readUTF()
            : TrainingSettings.Dense.Optimizer.ADAM.toString();
    for (List<TensorValues> group : dense) {
      expect(in.readInt(), group.size(), "dense tensors");
      for (TensorValues values : group) {
        expect(in.readInt(), values.size(), "values of a dense tensor");
        FloatBuffer found = FloatBuffer.allocate(values.size());
        Bytes.readAll(in, found, values.size());
        values.write(0, found);
      }
    }
    if (!learntWith.equals(optimizer)) {
      anew.add(anew("dense weights", optimizer, learntWith));
      for (List<TensorValues> group : network.slots()) {
        group.forEach(values -> values.write(0, new float[values.size()]));
      }
    }
    String rows = settings.embeddings().optimizer().toString();
    String rowsLearntWith = rows;
    for (EmbeddingTable table : tables) {
      // In batches of before the gradients of rows were sums.
      rowsLearntWith =
          withRows ? table.restore(in, settings.largestBatch()) : table.restoreHead(in);
    }
    if (!rowsLearntWith.equals(rows)) {
      anew.add(anew("embedding rows", rows, rowsLearntWith));
    }
    return anew;
  }

  private String anew(String what, String now, String before) {
    return "model %s: the %s are learnt with %s from here on, which starts anew; it was %s"
        .formatted(context.model().name(), what, now, before);
  }

  private void expect(int found, int expected, String what) throws IOException {
    if (found != expected) {
      throw new IOException(
          "the checkpoint of model "
              + context.model().name()
              + " has "
              + found
              + " "
              + what
              + ", its settings now ask for "
              + expected
              + ": give the model a new name to start it afresh");
    }
  }

  @Override
  public void close() {
    workers.close();
    network.close();
  }
}
