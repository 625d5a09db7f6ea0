package dev.freshet.job.labels;

import static java.util.Objects.requireNonNull;

import dev.freshet.core.events.Deadline;
import dev.freshet.core.events.Impression;
import dev.freshet.core.labels.DeadlineUse;
import dev.freshet.core.labels.Task;
import dev.freshet.job.metrics.LabelMetrics;
import dev.freshet.job.metrics.MetricLabel;
import dev.freshet.job.metrics.StepMetrics;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.flink.api.common.accumulators.LongCounter;
import org.apache.flink.api.common.functions.RuntimeContext;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Uses of the impressions' own deadlines, by task and {@link DeadlineUse}, with the first
 * impression of each, since the job's first start: both are operator state. Whoever submits the job
 * reads them as accumulators. After a change of parallelism only the sums over subtasks are exact.
 */
final class DeadlineCounters {

  private static final Logger LOG = LoggerFactory.getLogger(DeadlineCounters.class);
  private static final DeadlineUse[] USES = DeadlineUse.values();

  private final List<Task> tasks;
  private final Map<String, Long> counts = new ConcurrentHashMap<>();
  private final Map<String, String> samples = new TreeMap<>();
  private final Map<String, LongCounter> accumulators = new TreeMap<>();
  private final Map<String, FirstText> firsts = new TreeMap<>();
  private final ListState<Map<String, Long>> countState;
  private final ListState<Map<String, String>> sampleState;

  DeadlineCounters(List<Task> tasks, FunctionInitializationContext context) throws Exception {
    this.tasks = tasks;
    countState =
        context
            .getOperatorStateStore()
            .getListState(
                new ListStateDescriptor<>("deadline-counts", Types.MAP(Types.STRING, Types.LONG)));
    sampleState =
        context
            .getOperatorStateStore()
            .getListState(
                new ListStateDescriptor<>(
                    "deadline-samples", Types.MAP(Types.STRING, Types.STRING)));
    for (Map<String, Long> before : countState.get()) {
      before.forEach((name, count) -> counts.merge(name, count, Long::sum));
    }
    for (Map<String, String> before : sampleState.get()) {
      before.forEach(samples::putIfAbsent);
    }
  }

  void snapshot() throws Exception {
    countState.clear();
    sampleState.clear();
    if (!counts.isEmpty()) {
      countState.add(Map.copyOf(counts));
      sampleState.add(Map.copyOf(samples));
    }
  }

  void register(RuntimeContext context, StepMetrics labels) {
    for (Task task : tasks) {
      if (task.deadline().present()) {
        StepMetrics of = labels.with(MetricLabel.TASK, task.name());
        for (DeadlineUse use : USES) {
          String name = name(task, use);
          of.with(MetricLabel.USE, use.label())
              .gauge(LabelMetrics.DEADLINES, () -> counts.getOrDefault(name, 0L));
          LongCounter count = new LongCounter(counts.getOrDefault(name, 0L));
          FirstText first = new FirstText();
          first.add(samples.getOrDefault(name, ""));
          context.addAccumulator(LabelJoinFunction.DEADLINES + name, count);
          context.addAccumulator(LabelJoinFunction.DEADLINE_SAMPLES + name, first);
          accumulators.put(name, count);
          firsts.put(name, first);
        }
      }
    }
  }

  private static String name(Task task, DeadlineUse use) {
    return task.name() + "." + use.label();
  }

  void count(int index, DeadlineUse use, Impression impression, Deadline said) {
    Task task = tasks.get(index);
    String name = name(task, use);
    counts.merge(name, 1L, Long::sum);
    requireNonNull(accumulators.get(name)).add(1);
    if (!samples.containsKey(name)) {
      String sample = use.sample(task, impression, said);
      samples.put(name, sample);
      requireNonNull(firsts.get(name)).add(sample);
      if (!use.good()) {
        LOG.warn(
            "The window of {} stays {} where the deadline is {}; the first: {}",
            task.name(),
            task.window(),
            use.label(),
            sample);
      }
    }
  }

  /** How many, by task and use: {@code stay.used}. */
  Map<String, Long> counts() {
    return Map.copyOf(counts);
  }

  /** The first of each, in words. */
  Map<String, String> samples() {
    return Map.copyOf(samples);
  }
}
