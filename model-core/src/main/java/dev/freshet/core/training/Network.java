package dev.freshet.core.training;

import dev.freshet.core.codec.Bytes;
import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.features.ExampleCompleter;
import dev.freshet.core.features.FeatureEncoder;
import dev.freshet.core.features.FeatureSchema;
import dev.freshet.core.features.NumberScale;
import dev.freshet.core.features.NumberStatistics;
import dev.freshet.core.models.ModelShape;
import dev.freshet.core.models.Parameter;
import dev.freshet.core.models.torch.HostBuffer;
import dev.freshet.core.models.torch.TensorValues;
import dev.freshet.core.models.torch.TorchDevice;
import dev.freshet.core.models.torch.TorchEngine;
import dev.freshet.core.training.embedding.BatchRows;
import dev.freshet.core.training.embedding.EmbeddingTable;
import dev.freshet.core.training.embedding.RowOptimizers;
import dev.freshet.core.training.embedding.RowSource;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/**
 * A model's weights, dense and embedded, and the two things that can be done with them: predict a
 * batch, and learn from it. One thread at a time.
 *
 * <p>What the script's methods are handed: {@code e}, the distinct rows of each table that the
 * batch needs, with {@code indices} and {@code offsets} of the bags of each example and field, and
 * the {@code weights} of what is in them, none where a bag is the mean of its rows; {@code y},
 * {@code w}, {@code reached} (B, K) and {@code same} (B,) as in {@link Targets}; {@code noise} (B,
 * n); {@code hyper}: learning rate, L2 factor, largest norm of a gradient, epsilon, optimiser, norm
 * to which gradients are clipped, examples of a full batch, and the model's own. A step returns
 * losses, norm of the dense gradient, whether the step was taken and what share of them the
 * gradients of rows are clipped to, and the gradient of each table's rows; {@code predict} returns
 * (B, K).
 */
public final class Network implements AutoCloseable {

  private static final int HYPER = 7;

  /**
   * Of Adam and Adagrad, in the gradient of one example. Far above what rounding asks for: in
   * batches in which a rare outcome does not happen gradients are small but all say the same, and
   * these would scale them to full steps.
   */
  private static final float EPSILON = 0.01f;

  /** Of no meaning, where nothing is learnt. */
  private static final TrainingSettings.Embeddings FOLLOWING =
      new TrainingSettings.Embeddings(RowOptimizers.ADAGRAD, 1.0, 1, 0, null, 0);

  private final ModelContext context;
  private final ModelShape shape;
  private final long[] absentKeys;
  private final ExampleCompleter completer;

  /** How it reads numbers. */
  private Map<String, NumberScale> numbers;

  /** Of the batch that was gathered last, with all keys. */
  private List<EncodedExample> gathered = List.of();

  /** Of each field its position among those that are sent; -1 of a cross. */
  private final int[] sent;

  private final List<Parameter> parameters;
  private final List<EmbeddingTable> tables;
  private final List<BatchRows> batches = new ArrayList<>();
  private final TorchEngine.Module module;
  private final List<TensorValues> weights;
  private final List<TensorValues> firstMoments;
  private final List<TensorValues> secondMoments;
  private final List<TensorValues> steps;

  /** Number of the batch that was gathered last. */
  private long batch;

  /** As of {@link #keep}. */
  private Map<String, NumberScale> keptNumbers;

  private final HostBuffer shapeBuffer = new HostBuffer();
  private final HostBuffer labelBuffer = new HostBuffer();
  private final HostBuffer weightBuffer = new HostBuffer();
  private final HostBuffer reachedBuffer = new HostBuffer();
  private final HostBuffer sameBuffer = new HostBuffer();
  private final HostBuffer noiseBuffer = new HostBuffer();
  private final HostBuffer hyperBuffer = new HostBuffer();

  /**
   * Start weights are drawn from {@code seed}.
   *
   * @param rows how the embedding rows learn
   */
  public Network(ModelContext context, long seed, TrainingSettings.Embeddings rows) {
    this(context, seed, rows, TorchDevice.HOST);
  }

  /**
   * As above, with the dense weights on a device.
   *
   * @param device computes the steps; rows stay on the host
   */
  public Network(
      ModelContext context, long seed, TrainingSettings.Embeddings rows, TorchDevice device) {
    this(context, seed, context.tables(rows), device);
    List<FeatureSchema.Group> groups = context.schema().groups();
    for (int i = 0; i < tables.size(); i++) {
      batches.add(new BatchRows(groups.get(i % groups.size()), tables.get(i)));
    }
  }

  /** A network that takes over published weights, and keeps all rows in its tables. */
  public static Network following(ModelContext context) {
    return new Network(context, 0, FOLLOWING);
  }

  /**
   * A network that only predicts, with rows from elsewhere: it has no tables.
   *
   * @param rows set by set, one for each group of the schema
   */
  public static Network reading(ModelContext context, List<? extends RowSource> rows) {
    Network network = new Network(context, 0, List.of(), TorchDevice.HOST);
    List<FeatureSchema.Group> groups = context.schema().groups();
    for (int i = 0; i < rows.size(); i++) {
      network.batches.add(new BatchRows(groups.get(i % groups.size()), rows.get(i)));
    }
    return network;
  }

  private Network(
      ModelContext context, long seed, List<EmbeddingTable> tables, TorchDevice device) {
    this.context = context;
    this.tables = tables;
    shape = context.shape();
    FeatureSchema schema = context.schema();
    sent = schema.fields().stream().mapToInt(schema.sent()::indexOf).toArray();
    completer = new ExampleCompleter(schema);
    numbers = new NumberStatistics(schema).scales();
    absentKeys = schema.fields().stream().mapToLong(FeatureEncoder::absentKey).toArray();
    parameters = context.model().dense(shape);
    module = TorchEngine.load(context.model().script(shape), device, biases());
    List<List<TensorValues>> live;
    try {
      live = module.setup(List.of(start(seed), zeros("m"), zeros("v"), counters()));
    } catch (RuntimeException e) {
      module.close(); // such as a device without memory for them, which the next attempt may find
      throw e;
    }
    weights = live.get(0);
    firstMoments = live.get(1);
    secondMoments = live.get(2);
    steps = live.get(3);
  }

  /** Places of the outputs' biases, which follow the base rates at every step. */
  private List<Integer> biases() {
    Set<String> names = new HashSet<>();
    for (int task = 0; task < shape.tasks(); task++) {
      names.add(context.model().bias(task));
    }
    return IntStream.range(0, parameters.size())
        .filter(i -> names.contains(parameters.get(i).name()))
        .boxed()
        .toList();
  }

  private TorchEngine.WeightGroup start(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    List<HostBuffer> values = new ArrayList<>();
    for (Parameter parameter : parameters) {
      HostBuffer buffer = new HostBuffer();
      FloatBuffer floats = buffer.floats(parameter.size());
      double spread = parameter.spread();
      while (floats.hasRemaining()) {
        floats.put(spread == 0 ? 0 : (float) random.nextDouble(-spread, spread));
      }
      values.add(buffer);
    }
    return new TorchEngine.WeightGroup("p", values, shapes());
  }

  private TorchEngine.WeightGroup zeros(String name) {
    List<HostBuffer> values = new ArrayList<>();
    for (Parameter parameter : parameters) {
      values.add(zero(parameter.size()));
    }
    return new TorchEngine.WeightGroup(name, values, shapes());
  }

  private TorchEngine.WeightGroup counters() {
    List<HostBuffer> values = new ArrayList<>();
    List<long[]> scalars = new ArrayList<>();
    for (int i = 0; i < parameters.size(); i++) {
      values.add(zero(1));
      scalars.add(new long[0]);
    }
    return new TorchEngine.WeightGroup("steps", values, scalars);
  }

  private static HostBuffer zero(int size) {
    HostBuffer buffer = new HostBuffer();
    FloatBuffer floats = buffer.floats(size);
    while (floats.hasRemaining()) {
      floats.put(0);
    }
    return buffer;
  }

  private List<long[]> shapes() {
    return parameters.stream().map(Parameter::shape).toList();
  }

  /** Looks up the rows of a batch, for the {@link #predict} and {@link #learn} that follow. */
  void gather(List<EncodedExample> examples, Predicate<EncodedExample> learnt) {
    gathered = completer.complete(examples, numbers);
    batch++;
    for (BatchRows rows : batches) {
      rows.gather(gathered, learnt);
    }
  }

  /**
   * Visits the fields that impressions bring, by their positions among {@link FeatureSchema#sent},
   * which are absent in the batch that was gathered last, or unknown to the model. A cross that is
   * either says nothing of its own: its fields do, or it is rare. Numbers that were clipped are
   * visited too.
   */
  public void eachMissing(BatchRows.MissingVisitor visitor) {
    completer.eachClipped((example, field, kind) -> visitor.missing(example, sent[field], kind));
    // With two sets of tables both have the same keys.
    for (int i = 0; i < context.schema().groups().size(); i++) {
      batches
          .get(i)
          .eachMissing(
              gathered,
              absentKeys,
              (example, field, kind) -> {
                if (sent[field] >= 0) {
                  visitor.missing(example, sent[field], kind);
                }
              });
    }
  }

  /** From now on numbers are read like this. */
  public void numbers(Map<String, NumberScale> scales) {
    numbers = scales;
  }

  /** Predictions for unlabelled examples: [example][task], in the model's scale. */
  public float[][] predict(List<EncodedExample> examples) {
    gather(examples, example -> false);
    return predict(examples.size());
  }

  /** Predictions for the gathered batch. */
  float[][] predict(int size) {
    return call("predict", size);
  }

  /** Remembers all weights as they are now, for {@link #predictAsKept}. */
  public void keep() {
    module.keep();
    tables.forEach(EmbeddingTable::keep);
    keptNumbers = numbers;
  }

  /** As {@link #predict}, with the weights as of {@link #keep}; afterwards all is as it was. */
  public float[][] predictAsKept(List<EncodedExample> examples) {
    swapKept();
    try {
      return predict(examples);
    } finally {
      swapKept();
    }
  }

  private void swapKept() {
    module.swapKept();
    tables.forEach(EmbeddingTable::swapKept);
    Map<String, NumberScale> then = keptNumbers;
    keptNumbers = numbers;
    numbers = then;
  }

  /**
   * What the model's script has to say of each example besides its predictions, for example
   * AdaFTR's relatedness: [example][column].
   *
   * @throws RuntimeException if the script has no method {@code inspect}
   */
  public float[][] inspect(List<EncodedExample> examples) {
    gather(examples, example -> false);
    return call("inspect", examples.size());
  }

  private float[][] call(String method, int size) {
    try (TorchEngine.Call call = module.call(method)) {
      addRows(call);
      shapeBuffer.floats(size);
      FloatBuffer out = call.addHost("shape", shapeBuffer, size).run().get(0);
      float[][] rows = new float[size][out.capacity() / size];
      for (float[] row : rows) {
        out.get(row);
      }
      return rows;
    }
  }

  /**
   * What a batch is to learn: [example][task] but for the last.
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
   * What a step reports.
   *
   * @param losses of each task
   * @param norm of the dense gradient
   * @param clipped whether a gradient was scaled down
   * @param taken false if a loss or a gradient was not finite or a gradient was too large: then
   *     nothing has changed
   */
  record StepReport(float[] losses, float norm, boolean clipped, boolean taken) {}

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
    float[] own = context.model().hyper(step);
    float clip =
        settings.clipNorm() == null ? Float.POSITIVE_INFINITY : settings.clipNorm().floatValue();
    hyperBuffer
        .floats(HYPER + own.length)
        .put((float) settings.dense().learningRate())
        .put((float) settings.dense().decay())
        .put((float) settings.maxNorm())
        .put(EPSILON / targets.examples())
        .put(settings.dense().optimizer().ordinal())
        .put(clip)
        .put(targets.examples())
        .put(own);
    try (TorchEngine.Call call = module.call("step")) {
      addRows(call);
      List<FloatBuffer> out =
          call.add("y", labelBuffer, size, shape.tasks())
              .add("w", weightBuffer, size, shape.tasks())
              .add("reached", reachedBuffer, size, shape.tasks())
              .add("same", sameBuffer, size)
              .add("noise", noiseBuffer, size, width)
              .addHost("hyper", hyperBuffer, HYPER + own.length)
              .run();
      float[] losses = new float[shape.tasks()];
      out.get(0).get(0, losses);
      float norm = out.get(1).get(0);
      boolean taken = out.get(1).get(1) == 1;
      float share = out.get(1).get(2);
      for (int i = 0; taken && i < batches.size(); i++) {
        batches.get(i).update(out.get(2 + i), share * targets.examples(), pace(i, targets.pace()));
      }
      return new StepReport(losses, norm, taken && (norm > clip || share < 1), taken);
    }
  }

  /** Of a table's first-order weights: where each task has rows of its own, of that task alone. */
  private float[] pace(int table, float[] ofTasks) {
    int groups = context.schema().groups().size();
    return batches.size() == groups ? ofTasks : new float[] {ofTasks[table / groups]};
  }

  private void addRows(TorchEngine.Call call) {
    call.ofBatch(batch);
    batches.forEach(rows -> rows.addRows(call));
    batches.forEach(rows -> rows.addIndices(call));
    batches.forEach(rows -> rows.addStarts(call));
    batches.forEach(rows -> rows.addWeights(call));
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

  /**
   * Writes the model without its embedding rows as a TorchScript archive with the method {@code
   * predict(e, indices, offsets, weights, shape)}, all of whose arguments are described above;
   * {@code shape} is any tensor of B elements.
   */
  public void writeGraph(OutputStream out) {
    module.save(out);
  }

  /** Native arrays that live between calls: weights and optimiser slots, and nothing else. */
  public int nativeArrays() {
    return module.arrays();
  }

  /** The dense weights' names and shapes. */
  public List<Parameter> parameters() {
    return parameters;
  }

  /** Values of the dense weights, in the order of {@link #parameters}. */
  public List<TensorValues> weights() {
    return weights;
  }

  /** Values of the dense weights of a name. */
  TensorValues weights(String name) {
    for (int i = 0; i < weights.size(); i++) {
      if (parameters.get(i).name().equals(name)) {
        return weights.get(i);
      }
    }
    throw new IllegalStateException("model " + context.model().name() + " has no weights " + name);
  }

  /** The embedding tables: set by set, one for each group of the schema. */
  public List<EmbeddingTable> tables() {
    return tables;
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
   * @param dense what the dense weights are learnt with
   */
  void write(DataOutput out, TrainingSettings.Dense dense) throws IOException {
    out.writeUTF(dense.optimizer().toString());
    for (List<TensorValues> group : List.of(weights, firstMoments, secondMoments, steps)) {
      out.writeInt(group.size());
      for (TensorValues values : group) {
        out.writeInt(values.size());
        Bytes.writeAll(out, values.read(), values.size());
      }
    }
    for (EmbeddingTable table : tables) {
      table.write(out);
    }
  }

  /**
   * The inverse of {@link #write}. What another optimiser remembers is of no use: weights go on
   * from where they are, the optimiser starts anew.
   *
   * @param version of the trainer's snapshot
   * @param settings as of now
   * @return which weights start with a new optimiser, in words; none if all go on
   * @throws IOException if the bytes are of a model of another shape
   */
  List<String> read(DataInput in, int version, TrainingSettings settings) throws IOException {
    List<String> anew = new ArrayList<>();
    String dense = settings.dense().optimizer().toString();
    String learntWith =
        version >= TrainerSnapshot.WITH_OPTIMIZERS
            ? in.readUTF()
            : TrainingSettings.Dense.Optimizer.ADAM.toString();
    for (List<TensorValues> group : List.of(weights, firstMoments, secondMoments, steps)) {
      expect(in.readInt(), group.size(), "dense tensors");
      for (TensorValues values : group) {
        expect(in.readInt(), values.size(), "values of a dense tensor");
        FloatBuffer found = FloatBuffer.allocate(values.size());
        Bytes.readAll(in, found, values.size());
        values.write(0, found);
      }
    }
    if (!learntWith.equals(dense)) {
      anew.add(anew("dense weights", dense, learntWith));
      for (List<TensorValues> group : List.of(firstMoments, secondMoments, steps)) {
        group.forEach(values -> values.write(0, new float[values.size()]));
      }
    }
    String rows = settings.embeddings().optimizer().toString();
    String rowsLearntWith = rows;
    for (EmbeddingTable table : tables) {
      // In batches of before the gradients of rows were sums.
      rowsLearntWith = table.restore(in, settings.largestBatch());
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
    module.close();
  }
}
