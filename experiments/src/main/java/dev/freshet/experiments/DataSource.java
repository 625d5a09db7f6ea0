package dev.freshet.experiments;

import dev.freshet.core.pipeline.Pipeline;
import java.io.IOException;
import java.io.Serializable;

/** Where an experiment's examples come from; {@link DataSources} is the menu. */
public interface DataSource extends Serializable {

  /** The kind, as in the experiment file. */
  String kind();

  /** True if every seed has examples of its own, as of what is simulated. */
  default boolean seeded() {
    return true;
  }

  /** As the other one, without features. */
  default Examples load(Pipeline pipeline, long seed) throws IOException {
    return load(pipeline, seed, false);
  }

  /**
   * The examples in the order in which they are learnt.
   *
   * @param withFeatures true if the impressions' features are wanted too, as they came
   * @throws IllegalArgumentException if the pipeline's tasks or fields do not suit the source
   * @throws IOException if files cannot be read
   */
  Examples load(Pipeline pipeline, long seed, boolean withFeatures) throws IOException;
}
