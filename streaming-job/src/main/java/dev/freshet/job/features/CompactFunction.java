package dev.freshet.job.features;

import dev.freshet.core.events.Impression;
import dev.freshet.core.features.FeatureEncoder;
import dev.freshet.core.features.FeatureSchema;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichMapFunction;

/** Makes features small before they go over the network and wait in keyed state. */
public final class CompactFunction extends RichMapFunction<Impression, Impression> {

  private final FeatureSchema schema;

  private transient FeatureEncoder encoder;

  public CompactFunction(FeatureSchema schema) {
    this.schema = schema;
  }

  @Override
  public void open(OpenContext context) {
    encoder = new FeatureEncoder(schema);
  }

  @Override
  public Impression map(Impression impression) {
    return impression.withFeatures(encoder.compact(impression.features()));
  }
}
