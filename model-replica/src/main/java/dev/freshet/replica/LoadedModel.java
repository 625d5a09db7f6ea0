package dev.freshet.replica;

import dev.freshet.core.codec.Sha256;
import dev.freshet.core.events.FieldCounts;
import dev.freshet.core.events.FieldCounts.Kind;
import dev.freshet.core.events.Impression;
import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.features.ExampleEncoder;
import dev.freshet.core.features.NumberScale;
import dev.freshet.core.features.NumberStatistics;
import dev.freshet.core.labels.Task;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.labels.correction.DelayCorrections;
import dev.freshet.core.network.ModelContext;
import dev.freshet.core.network.Network;
import dev.freshet.core.network.ServedScale;
import dev.freshet.core.network.Shrinkage;
import dev.freshet.core.rows.ServedRows;
import dev.freshet.core.snapshot.Manifest;
import dev.freshet.core.snapshot.Precision;
import dev.freshet.core.snapshot.SnapshotAssembler.Snapshot;
import dev.freshet.core.snapshot.WeightTensors;
import dev.freshet.core.snapshot.WeightsLoader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A version in memory, ready to predict; the next one replaces it in place. Counts who uses it: the
 * weights are freed when it has been retired and the last user is done. Thread-safe; predictions
 * run one at a time, and a version is taken between two of them, so each batch is scored by one
 * version.
 */
final class LoadedModel {

  private static final Logger LOG = LoggerFactory.getLogger(LoadedModel.class);
  private static final int WARM_UP_ROUNDS = 3;
  private static final int[] WARM_UP_SIZES = {1, 32};

  private final ModelContext context;
  private final Network network;
  private final List<ServedRows> inMemory;

  /** Where the rows are if they are not in memory, else null. */
  private final @Nullable RowDatabase rows;

  private final ExampleEncoder encoder;

  /** Changes last of all, between two batches; who only reads it waits for none. */
  private volatile Manifest manifest;

  private ServedScale scale;
  private int users = 1;
  private boolean replaced;
  private Runnable afterwards = () -> {};

  /**
   * Loads a base and makes it warm: the first calls of a fresh script compile it.
   *
   * @throws IOException if the payload does not fit the model
   */
  LoadedModel(ModelContext context, Snapshot snapshot) throws IOException {
    this(context, snapshot, null);
  }

  /**
   * As the other one, with the rows on disk if there is a database; this model is its owner.
   *
   * @param rows null for memory
   */
  LoadedModel(ModelContext context, Snapshot snapshot, @Nullable RowDatabase rows)
      throws IOException {
    this(context, rows);
    try {
      become(snapshot);
      warmUp();
    } catch (IOException | RuntimeException e) {
      replaced();
      throw e;
    }
  }

  /** Without a version: that follows before anybody sees it. */
  @SuppressWarnings("NullAway.Init")
  private LoadedModel(ModelContext context, @Nullable RowDatabase rows) {
    this.context = context;
    this.rows = rows;
    encoder = new ExampleEncoder(context.schema());
    inMemory = rows == null ? context.tables(ServedRows::new) : List.of();
    network = new Network(context, rows == null ? inMemory : rows.tables());
  }

  /**
   * The version that a database holds; if there is none that fits the database is destroyed.
   *
   * @param fits asked before anything but the manifest is read: what follows is of its sizes
   */
  static Optional<LoadedModel> reopened(
      ModelContext context, RowDatabase rows, Predicate<Manifest> fits) throws IOException {
    Optional<byte[]> manifest = rows.manifest();
    if (manifest.isEmpty() || !fits.test(Manifest.fromJson(manifest.get()))) {
      rows.destroy();
      return Optional.empty();
    }
    LoadedModel model = new LoadedModel(context, rows);
    try {
      model.manifest = Manifest.fromJson(manifest.get());
      rows.readUnknown();
      model.scale = model.scale(model.manifest);
      model.network.numbers(model.numbers(model.manifest));
      new WeightsLoader(model.network, List.of()).dense(ByteBuffer.wrap(rows.dense())).run();
      model.warmUp();
      return Optional.of(model);
    } catch (IOException | RuntimeException e) {
      model.replaced();
      throw e;
    }
  }

  private void warmUp() {
    int fields = context.schema().fields().size();
    EncodedExample bare =
        new EncodedExample(
            0, 0, false, new long[0], new int[fields + 1], new TaskLabel[0], new float[0]);
    for (int round = 0; round < WARM_UP_ROUNDS; round++) {
      for (int size : WARM_UP_SIZES) {
        network.predict(Collections.nCopies(size, bare));
      }
    }
  }

  private Map<String, NumberScale> numbers(Manifest of) throws IOException {
    return NumberStatistics.checked(context.schema(), of.numbers());
  }

  private ServedScale scale(Manifest of) throws IOException {
    List<DelayCorrections> corrections = new ArrayList<>();
    List<Shrinkage> shrinkages = new ArrayList<>();
    for (Task task : context.tasks()) {
      corrections.add(of.correction(task.name()));
      shrinkages.add(of.shrinkage(task.name()));
    }
    return new ServedScale(
        context, of.amounts(context.transform()), corrections, of.sampling(), shrinkages);
  }

  Manifest manifest() {
    return manifest;
  }

  /** True if a delta builds on just this version. */
  boolean isParentOf(Manifest delta) {
    return manifest.isParentOf(delta);
  }

  /**
   * Becomes another version: a base, or a delta on top of this one. Everything is read, checked and
   * compared with what is there before anything changes, so what is done between two batches is
   * little.
   *
   * @throws IOException if the payload does not fit the model
   */
  void become(Snapshot version) throws IOException {
    boolean delta = version.manifest().isDelta();
    try (Preparation prepared = prepare(delta)) {
      WeightsLoader loader = new WeightsLoader(network, prepared.tables());
      WeightsLoader.Update update =
          delta ? loader.delta(version.payload()) : loader.base(version.payload());
      ServedScale next = scale(version.manifest());
      Map<String, NumberScale> numbers = numbers(version.manifest());
      Runnable use = prepared.write(version.manifest().toJson(), update.dense());
      synchronized (this) {
        update.run();
        scale = next;
        network.numbers(numbers);
        use.run();
        manifest = version.manifest();
      }
    }
  }

  /**
   * This very version has been published as a base too, which is what the next delta names.
   *
   * @throws IOException if it cannot be written to disk
   */
  void becomeBase(Manifest base) throws IOException {
    try (Preparation prepared = prepare(true)) {
      Runnable use = prepared.write(base.toJson(), Optional.empty());
      synchronized (this) {
        use.run();
        manifest = base;
      }
    }
  }

  private Preparation prepare(boolean delta) throws IOException {
    return rows == null ? new Preparation.InMemory(inMemory) : rows.begin(delta);
  }

  /** The weights as a base, whatever they were put together from; 32-bit floats. */
  synchronized Snapshot asBase() throws IOException {
    ByteArrayOutputStream payload = new ByteArrayOutputStream();
    WeightTensors.base(network, inMemory, Precision.FLOAT32).write(payload);
    byte[] bytes = payload.toByteArray();
    return new Snapshot(manifest.asBase(bytes.length, Sha256.of(bytes)), ByteBuffer.wrap(bytes));
  }

  synchronized byte[] graph() {
    ByteArrayOutputStream graph = new ByteArrayOutputStream();
    network.writeGraph(graph);
    return graph.toByteArray();
  }

  /** One more user, unless the weights are gone already. */
  synchronized boolean lease() {
    if (users == 0) {
      return false;
    }
    users++;
    return true;
  }

  /** Another model has taken its place: what is on disk goes too, with the last user. */
  synchronized void replaced() {
    replaced = true;
    release();
  }

  /** The replica goes, and {@code then} is done when the last user has gone too. */
  synchronized void retire(Runnable then) {
    afterwards = then;
    release();
  }

  /** One user less; the replica itself is one until it retires this version. */
  synchronized void release() {
    users--;
    if (users == 0) {
      network.close();
      closeRows();
      afterwards.run();
    }
  }

  private void closeRows() {
    if (rows == null) {
      return;
    }
    try {
      if (replaced) {
        rows.destroy();
      } else {
        rows.close();
      }
    } catch (IOException e) {
      LOG.warn("The rows of model {} cannot be left", context.model().name(), e);
    }
  }

  /**
   * Scores impressions, all by this version.
   *
   * @param counts of fields that are absent or unknown
   */
  synchronized List<Prediction> predict(List<Impression> impressions, FieldCounts counts) {
    List<EncodedExample> batch = new ArrayList<>(impressions.size());
    for (Impression impression : impressions) {
      batch.add(encoder.encode(impression));
    }
    float[][] rows = network.predict(batch);
    List<BitSet> absent = sets(batch);
    List<BitSet> unknown = sets(batch);
    network.eachMissing(
        (example, field, kind) -> {
          switch (kind) {
            case ABSENT -> absent.get(example).set(field);
            case UNKNOWN -> unknown.get(example).set(field);
            case CLIPPED -> counts.add(field, kind);
            default -> throw new IllegalStateException("a field is " + kind);
          }
        });
    List<Prediction> predictions = new ArrayList<>(batch.size());
    for (int e = 0; e < rows.length; e++) {
      Map<String, Double> scores = new LinkedHashMap<>();
      double[] served = scale.served(rows[e]);
      for (int i = 0; i < served.length; i++) {
        scores.put(context.tasks().get(i).name(), served[i]);
      }
      counts.impression();
      predictions.add(
          new Prediction(
              manifest.version(),
              scores,
              names(absent.get(e), Kind.ABSENT, counts),
              names(unknown.get(e), Kind.UNKNOWN, counts)));
    }
    return predictions;
  }

  private static List<BitSet> sets(List<EncodedExample> batch) {
    List<BitSet> sets = new ArrayList<>(batch.size());
    batch.forEach(example -> sets.add(new BitSet()));
    return sets;
  }

  private List<String> names(BitSet fields, Kind kind, FieldCounts counts) {
    if (fields.isEmpty()) {
      return List.of();
    }
    List<String> names = new ArrayList<>();
    fields.stream()
        .forEach(
            field -> {
              names.add(context.schema().sent().get(field).name());
              counts.add(field, kind);
            });
    return names;
  }
}
