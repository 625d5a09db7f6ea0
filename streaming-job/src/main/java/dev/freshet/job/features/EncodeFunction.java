package dev.freshet.job.features;

import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.features.FeatureEncoder;
import dev.freshet.core.features.FeatureSchema;
import dev.freshet.core.features.OtherFieldsException;
import dev.freshet.core.labels.LabeledExample;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.apache.flink.runtime.execution.SuppressRestartsException;

/** Encodes examples, in parallel and before the trainers, which are one task each. */
public final class EncodeFunction extends RichMapFunction<LabeledExample, EncodedExample> {

  private final FeatureSchema schema;
  private final double holdout;

  private transient FeatureEncoder encoder;

  public EncodeFunction(FeatureSchema schema, double holdout) {
    this.schema = schema;
    this.holdout = holdout;
  }

  @Override
  public void open(OpenContext context) {
    encoder = new FeatureEncoder(schema, holdout);
  }

  @Override
  public EncodedExample map(LabeledExample example) {
    try {
      return encoder.encode(example);
    } catch (OtherFieldsException e) {
      // It is in the state, so it would come again after every restart.
      throw new SuppressRestartsException(e);
    }
  }
}
