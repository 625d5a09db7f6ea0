package dev.freshet.experiments;

import dev.freshet.core.features.FeatureField;
import dev.freshet.core.labels.LabelSettings;
import dev.freshet.core.labels.Task;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TrainingSettings.Scoring;
import java.io.IOException;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Examples that several trials use: loaded by the first that asks, dropped by the last. */
final class SharedExamples {

  /** All that examples depend on: trials for which this is equal use the same. */
  record Key(
      DataSource data,
      List<Task> tasks,
      LabelSettings labels,
      List<FeatureField> features,
      Scoring.@Nullable At at,
      long seed) {

    static Key of(DataSource data, Pipeline pipeline, long seed) {
      return new Key(
          data,
          pipeline.tasks(),
          pipeline.labels(),
          pipeline.schema().fields(),
          pipeline.training().scoring().at(),
          data.seeded() ? seed : 0);
    }
  }

  private final DataSource data;
  private final Pipeline pipeline;
  private final long seed;
  private final boolean withFeatures;
  private final Consumer<String> say;
  private int users;
  private @Nullable Examples examples;

  /**
   * @param withFeatures true if the impressions' features are wanted too
   * @param say is told what of the data is left out
   */
  SharedExamples(
      DataSource data, Pipeline pipeline, long seed, boolean withFeatures, Consumer<String> say) {
    this.data = data;
    this.pipeline = pipeline;
    this.seed = seed;
    this.withFeatures = withFeatures;
    this.say = say;
  }

  Pipeline pipeline() {
    return pipeline;
  }

  long seed() {
    return seed;
  }

  /** One more will use them. */
  synchronized void expect() {
    users++;
  }

  synchronized Examples get() throws IOException {
    if (examples == null) {
      examples = data.load(pipeline, seed, withFeatures);
      examples.leftOut().forEach(say);
    }
    return examples;
  }

  synchronized void done() {
    users--;
    if (users == 0) {
      examples = null;
    }
  }
}
