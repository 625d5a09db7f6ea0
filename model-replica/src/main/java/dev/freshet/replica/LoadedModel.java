package dev.freshet.replica;

import dev.freshet.core.events.Impression;
import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.features.FeatureEncoder;
import dev.freshet.core.labels.LabeledExample;
import dev.freshet.core.labels.Task;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.labels.correction.DelayCorrections;
import dev.freshet.core.publishing.Manifest;
import dev.freshet.core.publishing.SnapshotAssembler.Snapshot;
import dev.freshet.core.publishing.WeightsLoader;
import dev.freshet.core.training.ModelContext;
import dev.freshet.core.training.Network;
import dev.freshet.core.training.ServedScale;
import dev.freshet.core.training.TargetScale;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One version in memory, ready to predict. Counts who uses it: the weights are freed when it has
 * been retired and the last user is done. Thread-safe; predictions of one version run one at a
 * time.
 */
final class LoadedModel {

  private static final TaskLabel[] NO_LABELS = {};

  private final ModelContext context;
  private final Manifest manifest;
  private final Network network;
  private final ServedScale scale;
  private final FeatureEncoder encoder;
  private int users = 1;

  /**
   * @throws IOException if the payload does not fit the model
   */
  LoadedModel(ModelContext context, Snapshot snapshot) throws IOException {
    this.context = context;
    manifest = snapshot.manifest();
    List<DelayCorrections> corrections = new ArrayList<>();
    for (Task task : context.tasks()) {
      corrections.add(manifest.correction(task.name()));
    }
    encoder = new FeatureEncoder(context.schema(), 0);
    TargetScale amounts = context.targetScale();
    amounts.restore(manifest.targetScale());
    scale = new ServedScale(context.core(), amounts, corrections, manifest.sampling());
    network = new Network(context, 0, 1);
    try {
      WeightsLoader.load(snapshot.payload(), network);
    } catch (IOException | RuntimeException e) {
      network.close();
      throw e;
    }
  }

  Manifest manifest() {
    return manifest;
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
