package dev.freshet.job.features;

import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.features.FeatureEncoder;
import dev.freshet.core.features.FeatureSchema;
import dev.freshet.core.features.OtherFieldsException;
import dev.freshet.core.labels.LabeledExample;
import dev.freshet.job.MetricNames;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.runtime.execution.SuppressRestartsException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Encodes examples, in parallel and before the trainers, which are one task each. */
public final class EncodeFunction extends RichMapFunction<LabeledExample, EncodedExample> {

  private static final Logger LOGGER = LoggerFactory.getLogger(EncodeFunction.class);

  private final FeatureSchema schema;
  private final double holdout;

  private transient FeatureEncoder encoder;
  private transient volatile long cut;

  public EncodeFunction(FeatureSchema schema, double holdout) {
    this.schema = schema;
    this.holdout = holdout;
  }

  @Override
  public void open(OpenContext context) {
    encoder = new FeatureEncoder(schema, holdout);
    getRuntimeContext()
        .getMetricGroup()
        .addGroup(MetricNames.FEATURES)
        .gauge(MetricNames.CUT_CROSSES, (Gauge<Long>) () -> cut);
  }

  @Override
  public EncodedExample map(LabeledExample example) {
    try {
      EncodedExample encoded = encoder.encode(example);
      if (encoder.cut() > cut) {
        if (cut == 0) {
          LOGGER.warn(
              "Impression {} has more values than a cross takes; it is crossed by the first of"
                  + " them. The metric {}.{} counts such crosses",
              encoded.name(),
              MetricNames.FEATURES,
              MetricNames.CUT_CROSSES);
        }
        cut = encoder.cut();
      }
      return encoded;
    } catch (OtherFieldsException e) {
      // It is in the state, so it would come again after every restart.
      throw new SuppressRestartsException(e);
    }
  }
}
