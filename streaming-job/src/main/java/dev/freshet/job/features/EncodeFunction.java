package dev.freshet.job.features;

import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.features.ExampleEncoder;
import dev.freshet.core.features.FeatureSchema;
import dev.freshet.core.features.OtherFieldsException;
import dev.freshet.core.labels.LabeledExample;
import dev.freshet.job.labels.FirstText;
import dev.freshet.job.metrics.LabelMetrics;
import dev.freshet.job.metrics.MetricStep;
import dev.freshet.job.metrics.StepMetrics;
import org.apache.flink.api.common.accumulators.LongCounter;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.apache.flink.runtime.execution.SuppressRestartsException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Encodes examples, in parallel and before the trainers, which are one task each. */
public final class EncodeFunction extends RichMapFunction<LabeledExample, EncodedExample> {

  /** Accumulator: crosses of impressions that had more values than are crossed. */
  public static final String CUT_CROSSES = "freshet.features.cut-crosses";

  /** Accumulator: the first such impression's id. */
  public static final String CUT_SAMPLE = "freshet.features.cut-sample";

  private static final Logger LOGGER = LoggerFactory.getLogger(EncodeFunction.class);

  private final FeatureSchema schema;
  private final double holdout;

  private transient ExampleEncoder encoder;
  private transient LongCounter cut;
  private transient FirstText first;

  public EncodeFunction(FeatureSchema schema, double holdout) {
    this.schema = schema;
    this.holdout = holdout;
  }

  @Override
  public void open(OpenContext context) {
    encoder = new ExampleEncoder(schema, holdout);
    cut = new LongCounter();
    first = new FirstText();
    getRuntimeContext().addAccumulator(CUT_CROSSES, cut);
    getRuntimeContext().addAccumulator(CUT_SAMPLE, first);
    StepMetrics.of(MetricStep.FEATURES, getRuntimeContext().getMetricGroup())
        .gauge(LabelMetrics.CUT_CROSSES, encoder::cut);
  }

  @Override
  public EncodedExample map(LabeledExample example) {
    try {
      EncodedExample encoded = encoder.encode(example);
      long more = encoder.cut() - cut.getLocalValuePrimitive();
      if (more > 0) {
        if (cut.getLocalValuePrimitive() == 0) {
          LOGGER.warn(
              "Impression {} has more values than a cross takes; it is crossed by the first of"
                  + " them",
              encoded.name());
          first.add(encoded.name());
        }
        cut.add(more);
      }
      return encoded;
    } catch (OtherFieldsException e) {
      // It is in the state, so it would come again after every restart.
      throw new SuppressRestartsException(e);
    }
  }
}
