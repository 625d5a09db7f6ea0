package dev.freshet.job.labels;

import dev.freshet.core.codec.Layout;
import dev.freshet.core.codec.LayoutException;
import dev.freshet.core.labels.Task;
import dev.freshet.core.settings.RecordBinder;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.runtime.execution.SuppressRestartsException;
import org.apache.flink.runtime.state.FunctionInitializationContext;

/**
 * The tasks that impressions in keyed state are laid out for: what is known of each task lies at
 * the task's place among them, so that with others it would be taken for another task's. While
 * impressions wait, a job with other tasks cannot go on from there.
 *
 * <p>Union state: {@code freshet-tasks-1 <impressions that wait> <task>:<kind>,...} of each
 * subtask.
 */
public final class TasksInState {

  /** Its state; there is none in checkpoints of versions that had none. */
  public static final ListStateDescriptor<String> STATE =
      new ListStateDescriptor<>("tasks", Types.STRING);

  private static final Layout LAYOUT = new Layout("freshet-tasks", 1);

  private final String now;
  private ListState<String> state;

  public TasksInState(List<Task> tasks) {
    now = layout(tasks);
  }

  private static String layout(List<Task> tasks) {
    return tasks.stream()
        .map(task -> task.name() + ":" + RecordBinder.written(task.kind()))
        .collect(Collectors.joining(","));
  }

  /** Another set of tasks will not fit at the next attempt either, so there is none. */
  public void initialize(FunctionInitializationContext context) throws Exception {
    state = context.getOperatorStateStore().getUnionListState(STATE);
    Optional<String> why;
    try {
      why = unfit(state.get(), now);
    } catch (LayoutException e) {
      throw new SuppressRestartsException(e);
    }
    if (why.isPresent()) {
      throw new SuppressRestartsException(new IllegalStateException(why.get()));
    }
  }

  /**
   * @param waiting impressions in this subtask's keyed state
   */
  public void snapshot(long waiting) throws Exception {
    state.clear();
    state.add(LAYOUT.text() + " " + waiting + " " + now);
  }

  /**
   * Why a job with these tasks cannot go on from a state; empty if it can.
   *
   * @param before all of {@link #STATE}
   * @throws IOException if it is of a version that this code does not read
   */
  public static Optional<String> unfit(Iterable<String> before, List<Task> tasks)
      throws IOException {
    return unfit(before, layout(tasks));
  }

  private static Optional<String> unfit(Iterable<String> before, String now) throws IOException {
    long waiting = 0;
    String other = null;
    for (String subtask : before) {
      String[] parts = subtask.split(" ", 3);
      LAYOUT.readText(parts[0]);
      // After a change of parallelism only the sum is exact.
      waiting += Long.parseLong(parts[1]);
      other = parts[2].equals(now) ? other : parts[2];
    }
    return other == null || waiting == 0
        ? Optional.empty()
        : Optional.of(
            "%,d impressions wait for labels of the tasks %s, not of %s: set them back, or stop the job with drain before they are changed"
                .formatted(waiting, other, now));
  }
}
