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
 * What impressions in keyed state are laid out for. What is known of each task lies at the task's
 * place among them, so that with others it would be taken for another task's; and features are kept
 * without the names of their fields. While impressions wait, a job with other tasks or fields
 * cannot go on from there.
 *
 * <p>Union state: {@code freshet-tasks-2 <impressions that wait> <hash of the fields>
 * <task>:<kind>,...} of each subtask. The first version had no fields.
 */
public final class WaitingLayout {

  /** Its state; there is none in checkpoints of versions that had none. */
  public static final ListStateDescriptor<String> STATE =
      new ListStateDescriptor<>("tasks", Types.STRING);

  /** Of impressions that wait for their counts, whose fields are not held against those of now. */
  public static final String ANY_FIELDS = "-";

  private static final Layout LAYOUT = new Layout("freshet-tasks", 2);
  private static final int WITH_FIELDS = 2;

  private final String tasks;
  private final String fields;
  private ListState<String> state;

  /**
   * @param fields a hash of them without spaces, or {@link #ANY_FIELDS}
   */
  public WaitingLayout(List<Task> tasks, String fields) {
    this.tasks = tasks(tasks);
    this.fields = fields;
  }

  private static String tasks(List<Task> tasks) {
    return tasks.stream()
        .map(task -> task.name() + ":" + RecordBinder.written(task.kind()))
        .collect(Collectors.joining(","));
  }

  /** What does not fit will not fit at the next attempt either, so there is none. */
  public void initialize(FunctionInitializationContext context) throws Exception {
    state = context.getOperatorStateStore().getUnionListState(STATE);
    Optional<String> why;
    try {
      why = unfit(state.get());
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
    state.add(String.join(" ", LAYOUT.text(), String.valueOf(waiting), fields, tasks));
  }

  /**
   * Why a job with this layout cannot go on from a state; empty if it can.
   *
   * @param before all of {@link #STATE}
   * @throws IOException if it is of a version that this code does not read
   */
  public Optional<String> unfit(Iterable<String> before) throws IOException {
    long waiting = 0;
    String otherTasks = null;
    boolean otherFields = false;
    for (String subtask : before) {
      String[] parts = subtask.split(" ");
      int version = LAYOUT.readText(parts[0]);
      // After a change of parallelism only the sum is exact.
      waiting += Long.parseLong(parts[1]);
      String of = parts[parts.length - 1];
      otherTasks = of.equals(tasks) ? otherTasks : of;
      otherFields |= version >= WITH_FIELDS && !parts[2].equals(fields);
    }
    if (waiting == 0 || otherTasks == null && !otherFields) {
      return Optional.empty();
    }
    String what =
        otherTasks == null
            ? "wait with other fields (names, kinds, buckets or order)"
            : "wait for labels of the tasks %s, not of %s".formatted(otherTasks, tasks);
    return Optional.of(
        "%,d impressions %s: set them back, or stop the job with drain before they are changed"
            .formatted(waiting, what));
  }
}
