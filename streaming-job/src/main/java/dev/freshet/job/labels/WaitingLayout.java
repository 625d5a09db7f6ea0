package dev.freshet.job.labels;

import static java.util.Objects.requireNonNull;

import dev.freshet.core.codec.Layout;
import dev.freshet.core.codec.LayoutException;
import dev.freshet.core.labels.Task;
import dev.freshet.core.settings.EnumNames;
import java.io.IOException;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.runtime.execution.SuppressRestartsException;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.jspecify.annotations.Nullable;

/**
 * Layout of impressions in keyed state. The state of each task lies at the task's place among them,
 * so that with others it would be taken for another task's; features are kept without the names of
 * their fields, and keys of values by which is counted without those of theirs. While impressions
 * wait, a job with others cannot go on from there.
 *
 * <p>Union state: {@code freshet-tasks-3 <impressions that wait> <fields> <task>:<kind>,...} of
 * each subtask. The fields are a hash of all, or {@code by=} and the names of those by which is
 * counted. The first version had no fields, the second {@code -} for the latter.
 */
public final class WaitingLayout {

  /** Its state; there is none in checkpoints of versions that had none. */
  public static final ListStateDescriptor<String> STATE =
      new ListStateDescriptor<>("tasks", Types.STRING);

  /** Which fields they were is not known. */
  private static final String ANY_FIELDS = "-";

  private static final Layout LAYOUT = new Layout("freshet-tasks", 3);
  private static final int WITH_FIELDS = 2;
  private static final String BY = "by=";
  private static final String OTHER_FIELDS = "other fields (names, kinds, buckets or order)";

  private final String tasks;
  private final String fields;

  /** True if what waits with other fields can be read by these. */
  private final Predicate<String> fits;

  /** Reaction to impressions that wait with fields that do not fit. */
  private final UnaryOperator<String> otherwise;

  /** Null where a layout is only compared. */
  private @Nullable ListState<String> state;

  private WaitingLayout(List<Task> tasks, String fields, UnaryOperator<String> otherwise) {
    this(tasks, fields, fields::equals, otherwise);
  }

  private WaitingLayout(
      List<Task> tasks, String fields, Predicate<String> fits, UnaryOperator<String> otherwise) {
    this.tasks = tasks(tasks);
    this.fields = fields;
    this.fits = fits;
    this.otherwise = otherwise;
  }

  /**
   * Of impressions that wait for labels.
   *
   * @param fields a hash of what their features are laid out for, without spaces
   */
  public static WaitingLayout forLabels(List<Task> tasks, String fields) {
    return new WaitingLayout(tasks, fields, before -> "wait with " + OTHER_FIELDS);
  }

  /**
   * Of impressions that wait for their counts.
   *
   * @param fields a hash of what their features are laid out for, without spaces
   */
  public static WaitingLayout forCounts(List<Task> tasks, String fields) {
    return new WaitingLayout(tasks, fields, before -> "wait for their counts with " + OTHER_FIELDS);
  }

  /**
   * Of impressions whose feedback is to be counted. Fields at the end by which nothing is counted
   * any more do no harm: keys are told apart by their places.
   *
   * @param by names of the fields by whose values it counts, in order
   */
  public static WaitingLayout forFeedback(List<Task> tasks, List<String> by) {
    String now =
        by.stream()
            .map(field -> URLEncoder.encode(field, StandardCharsets.UTF_8))
            .collect(Collectors.joining(",", BY, ""));
    return new WaitingLayout(
        tasks,
        now,
        before -> before.equals(now) || before.startsWith(now + ","),
        before ->
            "wait for feedback that counts by %s, not by %s".formatted(names(before), names(now)));
  }

  private static String names(String by) {
    return URLDecoder.decode(by.substring(BY.length()), StandardCharsets.UTF_8);
  }

  private static String tasks(List<Task> tasks) {
    return tasks.stream()
        .map(task -> task.name() + ":" + EnumNames.of(task.kind()))
        .collect(Collectors.joining(","));
  }

  /** Refuses what does not fit, without another attempt: it would not fit then either. */
  public void initialize(FunctionInitializationContext context) throws Exception {
    ListState<String> before = context.getOperatorStateStore().getUnionListState(STATE);
    state = before;
    Optional<String> why;
    try {
      why = unfit(before.get());
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
    ListState<String> now = requireNonNull(state, "initialize comes first");
    now.clear();
    now.add(String.join(" ", LAYOUT.text(), String.valueOf(waiting), fields, tasks));
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
    String otherFields = null;
    for (String subtask : before) {
      String[] parts = subtask.split(" ");
      int version = LAYOUT.readText(parts[0]);
      // After a change of parallelism only the sum is exact.
      waiting += Long.parseLong(parts[1]);
      String of = parts[parts.length - 1];
      otherTasks = of.equals(tasks) ? otherTasks : of;
      String with = version >= WITH_FIELDS ? parts[2] : ANY_FIELDS;
      otherFields = with.equals(ANY_FIELDS) || fits.test(with) ? otherFields : with;
    }
    if (waiting == 0 || otherTasks == null && otherFields == null) {
      return Optional.empty();
    }
    String what =
        otherTasks == null
            ? otherwise.apply(otherFields)
            : "wait for labels of the tasks %s, not of %s".formatted(otherTasks, tasks);
    return Optional.of(
        "%,d impressions %s: set them back, or stop the job with drain before they are changed"
            .formatted(waiting, what));
  }
}
