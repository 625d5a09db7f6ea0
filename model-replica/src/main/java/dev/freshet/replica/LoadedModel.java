package dev.freshet.replica;

import dev.freshet.core.events.Impression;
import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.features.FeatureEncoder;
import dev.freshet.core.labels.LabeledExample;
import dev.freshet.core.labels.Task;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.labels.correction.DelayCorrections;
import dev.freshet.core.publishing.Manifest;
import dev.freshet.core.publishing.Precision;
import dev.freshet.core.publishing.Sha256;
import dev.freshet.core.publishing.SnapshotAssembler.Snapshot;
import dev.freshet.core.publishing.WeightTensors;
import dev.freshet.core.publishing.WeightsLoader;
import dev.freshet.core.training.ModelContext;
import dev.freshet.core.training.Network;
import dev.freshet.core.training.ServedScale;
import dev.freshet.core.training.TargetScale;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A version in memory, ready to predict; the next one replaces it in place. Counts who uses it: the
 * weights are freed when it has been retired and the last user is done. Thread-safe; predictions
 * run one at a time, and a version is taken between two of them, so each batch is scored by one
 * version.
 */
final class LoadedModel {

  private static final TaskLabel[] NO_LABELS = {};
  private static final int WARM_UP_ROUNDS = 3;
  private static final int[] WARM_UP_SIZES = {1, 32};

  private final ModelContext context;
  private final Network network;
  private final WeightsLoader loader;
  private final FeatureEncoder encoder;
  private Manifest manifest;
  private ServedScale scale;
  private int users = 1;

  /**
   * Loads a base and makes it warm: the first calls of a fresh script compile it.
   *
   * @throws IOException if the payload does not fit the model
   */
  LoadedModel(ModelContext context, Snapshot snapshot) throws IOException {
    this.context = context;
    manifest = snapshot.manifest();
    scale = scale(manifest);
    encoder = new FeatureEncoder(context.schema(), 0);
    network = new Network(context, 0, 1);
    loader = new WeightsLoader(network);
    try {
      loader.base(snapshot.payload()).run();
      warmUp();
    } catch (IOException | RuntimeException e) {
      network.close();
      throw e;
    }
  }

  private void warmUp() {
    int fields = context.schema().fields().size();
    EncodedExample bare =
        new EncodedExample(0, 0, false, new long[0], new int[fields + 1], NO_LABELS, new float[0]);
    for (int round = 0; round < WARM_UP_ROUNDS; round++) {
      for (int size : WARM_UP_SIZES) {
        network.predict(Collections.nCopies(size, bare));
      }
    }
  }

  private ServedScale scale(Manifest of) throws IOException {
    List<DelayCorrections> corrections = new ArrayList<>();
    for (Task task : context.tasks()) {
      corrections.add(of.correction(task.name()));
    }
    TargetScale amounts = context.targetScale();
    amounts.restore(of.targetScale());
    return new ServedScale(context.core(), amounts, corrections, of.sampling());
  }

  synchronized Manifest manifest() {
    return manifest;
  }

  /** Whether a delta builds on just this version. */
  synchronized boolean isParentOf(Manifest delta) {
    return manifest.version().equals(delta.parent())
        && manifest.sha256().equals(delta.parentSha256());
  }

  /**
   * Becomes another version: a base, or a delta on top of this one. Everything is read, checked and
   * compared with what is there before anything changes, so what is done between two batches is
   * little.
   *
   * @throws IOException if the payload does not fit the model
   */
  void become(Snapshot version) throws IOException {
    Runnable update =
        version.manifest().isDelta()
            ? loader.delta(version.payload())
            : loader.base(version.payload());
    ServedScale next = scale(version.manifest());
    synchronized (this) {
      update.run();
      scale = next;
      manifest = version.manifest();
    }
  }

  /** The weights as a base, whatever they were put together from; 32-bit floats. */
  synchronized Snapshot asBase() throws IOException {
    ByteArrayOutputStream payload = new ByteArrayOutputStream();
    WeightTensors.base(network, Precision.FLOAT32).write(payload);
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

  /** One user less; the replica itself is one until it retires this version. */
  synchronized void release() {
    users--;
    if (users == 0) {
      network.close();
    }
  }

  synchronized List<Prediction> predict(List<Impression> impressions) {
    List<EncodedExample> batch = new ArrayList<>(impressions.size());
    for (Impression impression : impressions) {
      batch.add(encoder.encode(new LabeledExample(impression, impression.eventTime(), NO_LABELS)));
    }
    List<Prediction> predictions = new ArrayList<>(batch.size());
    for (float[] row : network.predict(batch)) {
      Map<String, Double> scores = new LinkedHashMap<>();
      for (int i = 0; i < row.length; i++) {
        scores.put(context.tasks().get(i).name(), scale.served(i, row[i]));
      }
      predictions.add(new Prediction(manifest.version(), scores));
    }
    return predictions;
  }
}
