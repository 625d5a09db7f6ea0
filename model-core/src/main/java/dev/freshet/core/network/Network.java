package dev.freshet.core.network;

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
import dev.freshet.core.rows.BatchRows;
import dev.freshet.core.rows.RowSource;
import dev.freshet.core.rows.Workers;
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
import java.util.stream.Stream;

/**
 * A model's weights, dense and embedded, and what is predicted with them. One thread at a time.
 *
 * <p>What the script's methods are handed of a batch: {@code e}, the distinct rows of each table
 * that it needs, with {@code indices} and {@code offsets} of the bags of each example and field, no
 * offsets where each bag is one row, and the {@code weights} of what is in them, none where a bag
 * is the mean of its rows. {@code predict} returns (B, K).
 */
public final class Network implements AutoCloseable {

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
  private final List<BatchRows> batches = new ArrayList<>();
  private final TorchEngine.Module module;
  private final List<TensorValues> weights;
  private final List<List<TensorValues>> slots;

  /** Number of the batch that was gathered last. */
  private long batch;

  private final HostBuffer shapeBuffer = new HostBuffer();

  /**
   * A network that only predicts.
   *
   * @param rows set by set, one for each group of the schema
   */
  public Network(ModelContext context, List<? extends RowSource> rows) {
    this(context, rows, TorchDevice.HOST);
  }

  /**
   * A network that only predicts.
   *
   * @param device has the dense weights; rows stay on the host
   */
  public Network(ModelContext context, List<? extends RowSource> rows, TorchDevice device) {
    this(context, rows, 0, device, nothingLearnt(), Workers.NONE);
  }

  /**
   * A network whose weights are learnt. Start weights are drawn from {@code seed}.
   *
   * @param slots further arguments of the script's {@code setup}, which a step changes in place
   * @param workers share the work on the rows of a batch
   */
  public Network(
      ModelContext context,
      List<? extends RowSource> rows,
      long seed,
      TorchDevice device,
      List<TorchEngine.WeightGroup> slots,
      Workers workers) {
    this.context = context;
    shape = context.shape();
    FeatureSchema schema = context.schema();
    for (int i = 0; i < rows.size(); i++) {
      FeatureSchema.Group group = schema.groups().get(i % schema.groups().size());
      batches.add(new BatchRows(group, rows.get(i), workers));
    }
    sent = schema.fields().stream().mapToInt(schema.sent()::indexOf).toArray();
    completer = new ExampleCompleter(schema);
    numbers = new NumberStatistics(schema).scales();
    absentKeys = schema.fields().stream().mapToLong(FeatureEncoder::absentKey).toArray();
    parameters = context.model().dense(shape);
    List<TorchEngine.WeightGroup> groups = new ArrayList<>(List.of(start(seed)));
    groups.addAll(slots);
    module = TorchEngine.load(context.model().script(shape), device, biases());
    try {
      List<List<TensorValues>> live = module.setup(groups);
      weights = live.get(0);
      this.slots = live.subList(1, live.size());
    } catch (RuntimeException e) {
      module.close(); // such as a device without memory for them, which the next attempt may find
      throw e;
    }
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

  /** In the place of what an optimiser keeps: the script wants some of each. */
  private static List<TorchEngine.WeightGroup> nothingLearnt() {
    return Stream.of("m", "v", "steps").map(Network::nothing).toList();
  }

  private static TorchEngine.WeightGroup nothing(String name) {
    HostBuffer zero = new HostBuffer();
    zero.floats(1).put(0);
    return new TorchEngine.WeightGroup(name, List.of(zero), List.of(new long[0]));
  }

  private List<long[]> shapes() {
    return parameters.stream().map(Parameter::shape).toList();
  }

  /**
   * Looks up the rows of a batch, for the calls that follow.
   *
   * @param learnt true if an example's keys count as sightings
   */
  public void gather(List<EncodedExample> examples, Predicate<EncodedExample> learnt) {
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
  public float[][] predict(int size) {
    return rows("predict", size);
  }

  /** How it reads numbers. */
  public Map<String, NumberScale> numbers() {
    return numbers;
  }

  /** Remembers the dense weights as they are now, for {@link #swapKept}. */
  public void keep() {
    module.keep();
  }

  /** Exchanges the dense weights for those at {@link #keep}; twice brings everything back. */
  public void swapKept() {
    module.swapKept();
  }

  /**
   * Outputs of the model's script for each example besides its predictions, for example AdaFTR's
   * relatedness: [example][column].
   *
   * @throws RuntimeException if the script has no method {@code inspect}
   */
  public float[][] inspect(List<EncodedExample> examples) {
    gather(examples, example -> false);
    return rows("inspect", examples.size());
  }

  private float[][] rows(String method, int size) {
    try (TorchEngine.Call call = call(method)) {
      shapeBuffer.floats(size);
      return rows(call.addHost("shape", shapeBuffer, size).run().get(0), size);
    }
  }

  /** A result of a script as [row][column]. */
  public static float[][] rows(FloatBuffer out, int size) {
    float[][] rows = new float[size][out.capacity() / size];
    for (float[] row : rows) {
      out.get(row);
    }
    return rows;
  }

  /** A call of a script's method, with the rows of the gathered batch as its first arguments. */
  public TorchEngine.Call call(String method) {
    TorchEngine.Call call = module.call(method);
    try {
      call.ofBatch(batch);
      batches.forEach(rows -> rows.addRows(call));
      batches.forEach(rows -> rows.addIndices(call));
      batches.forEach(rows -> rows.addStarts(call));
      batches.forEach(rows -> rows.addWeights(call));
      return call;
    } catch (RuntimeException e) {
      call.close();
      throw e;
    }
  }

  /** A call of a script's method that wants no rows. */
  public TorchEngine.Call callWithoutRows(String method) {
    return module.call(method);
  }

  /** The rows of the gathered batch: set by set, one for each group of the schema. */
  public List<BatchRows> rows() {
    return batches;
  }

  /**
   * Writes the model without its embedding rows as a TorchScript archive with the method {@code
   * predict(e, indices, offsets, weights, shape)}, all of whose arguments are described above;
   * {@code shape} is any tensor of B elements.
   */
  public void writeGraph(OutputStream out) {
    module.save(out);
  }

  /** True if a step predicts with noise, which {@link #predict} does without. */
  public boolean noisy() {
    return context.model().noisy();
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
  public TensorValues weights(String name) {
    for (int i = 0; i < weights.size(); i++) {
      if (parameters.get(i).name().equals(name)) {
        return weights.get(i);
      }
    }
    throw new IllegalStateException("model " + context.model().name() + " has no weights " + name);
  }

  /** The {@code slots} that the network was made with, as they have become. */
  public List<List<TensorValues>> slots() {
    return slots;
  }

  @Override
  public void close() {
    module.close();
  }
}
