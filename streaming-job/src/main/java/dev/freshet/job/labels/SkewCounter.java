package dev.freshet.job.labels;

import dev.freshet.job.metrics.JobMetric;
import dev.freshet.job.metrics.StepMetrics;
import org.apache.flink.api.common.accumulators.LongCounter;
import org.apache.flink.api.common.functions.RuntimeContext;
import org.apache.flink.runtime.state.FunctionInitializationContext;

/**
 * How many events counted at their parent because by their own clocks they were before it, since
 * the job's first start: the count is operator state. Whoever submits the job reads it as an
 * accumulator. After a change of parallelism only the sum over subtasks is exact.
 */
final class SkewCounter {

  private final LongCounter accumulator = new LongCounter();
  private final KeptCount skewed = new KeptCount("skewed-count");

  void initialize(FunctionInitializationContext context) throws Exception {
    skewed.initialize(context);
  }

  void snapshot() throws Exception {
    skewed.snapshot();
  }

  void register(RuntimeContext context, StepMetrics metrics) {
    accumulator.resetLocal();
    accumulator.add(skewed.count());
    context.addAccumulator(LabelJoinFunction.SKEWED, accumulator);
    skewed.register(metrics, JobMetric.SKEWED);
  }

  void inc() {
    skewed.add(1);
    accumulator.add(1);
  }

  long count() {
    return skewed.count();
  }
}
