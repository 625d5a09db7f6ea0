package dev.freshet.job.labels;

import dev.freshet.job.MetricNames;
import org.apache.flink.api.common.accumulators.LongCounter;
import org.apache.flink.api.common.functions.RuntimeContext;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.runtime.state.FunctionInitializationContext;

/**
 * How many events counted at their parent because by their own clocks they were before it, since
 * the job's first start: the count is operator state. Whoever submits the job reads it as an
 * accumulator. After a change of parallelism only the sum over subtasks is exact.
 */
final class SkewCounter {

  private final LongCounter accumulator = new LongCounter();
  private ListState<Long> counts;
  private volatile long skewed;

  void initialize(FunctionInitializationContext context) throws Exception {
    counts =
        context
            .getOperatorStateStore()
            .getListState(new ListStateDescriptor<>("skewed-count", Types.LONG));
    skewed = 0;
    for (long count : counts.get()) {
      skewed += count;
    }
  }

  void snapshot() throws Exception {
    counts.clear();
    counts.add(skewed);
  }

  void register(RuntimeContext context, MetricGroup group) {
    accumulator.resetLocal();
    accumulator.add(skewed);
    context.addAccumulator(LabelJoinFunction.SKEWED, accumulator);
    group.gauge(MetricNames.SKEWED, (Gauge<Long>) () -> skewed);
  }

  @SuppressWarnings("NonAtomicOperationOnVolatileField") // one thread writes
  void inc() {
    skewed++;
    accumulator.add(1);
  }

  long count() {
    return skewed;
  }
}
