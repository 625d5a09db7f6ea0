package dev.freshet.job.labels;

import dev.freshet.core.events.Feedback;
import dev.freshet.core.labels.Task;
import dev.freshet.core.settings.Durations;
import dev.freshet.job.metrics.LabelMetrics;
import dev.freshet.job.metrics.StepMetrics;
import java.time.Duration;
import org.apache.flink.api.common.accumulators.LongCounter;
import org.apache.flink.api.common.functions.RuntimeContext;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.runtime.state.FunctionInitializationContext;

/**
 * How many events counted at their parent because by their own clocks they were before it, and the
 * first of them, since the job's first start: both are operator state. Whoever submits the job
 * reads them as accumulators. After a change of parallelism only the sum over subtasks is exact.
 */
final class SkewCounter {

  private final LongCounter accumulator = new LongCounter();
  private final KeptCount skewed;
  private final FirstText first = new FirstText();
  private final ListState<String> sampleState;
  private String sample = "";

  SkewCounter(FunctionInitializationContext context) throws Exception {
    skewed = new KeptCount("skewed-count", context);
    sampleState =
        context
            .getOperatorStateStore()
            .getListState(new ListStateDescriptor<>("skewed-sample", Types.STRING));
    for (String before : sampleState.get()) {
      sample = sample.isEmpty() ? before : sample;
    }
  }

  void snapshot() throws Exception {
    skewed.snapshot();
    sampleState.clear();
    if (!sample.isEmpty()) {
      sampleState.add(sample);
    }
  }

  void register(RuntimeContext context, StepMetrics metrics) {
    accumulator.resetLocal();
    accumulator.add(skewed.count());
    context.addAccumulator(LabelJoinFunction.SKEWED, accumulator);
    first.resetLocal();
    first.add(sample);
    context.addAccumulator(LabelJoinFunction.SKEWED_SAMPLE, first);
    skewed.register(metrics, LabelMetrics.SKEWED);
  }

  void count(Task task, Feedback event, long early) {
    skewed.add(1);
    accumulator.add(1);
    if (sample.isEmpty()) {
      sample =
          "task "
              + task.name()
              + ", impression "
              + event.impressionId()
              + ", event "
              + event.eventId()
              + ": "
              + Durations.written(Duration.ofMillis(early))
              + " before what it follows from";
      first.add(sample);
    }
  }

  /** The first of them in words, or empty. */
  String sample() {
    return sample;
  }

  long count() {
    return skewed.count();
  }
}
