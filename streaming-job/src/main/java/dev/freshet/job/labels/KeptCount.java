package dev.freshet.job.labels;

import dev.freshet.job.metrics.JobMetric;
import dev.freshet.job.metrics.StepMetrics;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.runtime.state.FunctionInitializationContext;

/**
 * A count that outlives the job, such as how many keys have state, as a gauge. Kept in operator
 * state; after a change of parallelism the subtasks' counts are dealt out as they are, so only
 * their sum is exact.
 */
public final class KeptCount {

  private final ListState<Long> state;
  private volatile long count;

  /**
   * @param name of its state
   */
  public KeptCount(String name, FunctionInitializationContext context) throws Exception {
    state =
        context.getOperatorStateStore().getListState(new ListStateDescriptor<>(name, Types.LONG));
    for (long part : state.get()) {
      count += part;
    }
  }

  public void snapshot() throws Exception {
    state.clear();
    state.add(count);
  }

  public void register(StepMetrics metrics, JobMetric metric) {
    metrics.gauge(metric, () -> count);
  }

  @SuppressWarnings("NonAtomicOperationOnVolatileField") // one thread writes
  public void add(long more) {
    count += more;
  }

  public long count() {
    return count;
  }
}
