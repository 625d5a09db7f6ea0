package dev.freshet.job.labels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.freshet.core.codec.LayoutTooNewException;
import dev.freshet.core.labels.Task;
import dev.freshet.core.pipeline.TestingPipelines;
import java.util.List;
import org.junit.jupiter.api.Test;

class TasksInStateTest {

  private static final List<Task> TASKS = TestingPipelines.shop().tasks();

  /** As checkpoints hold it: what was written once has to be read for good. */
  private static final String FIVE =
      "freshet-tasks-1 5 click:binary,purchase:binary,revenue:continuous";

  @Test
  void readsWhatWasWritten() throws Exception {
    assertThat(TasksInState.unfit(List.of(FIVE), TASKS)).isEmpty();
    assertThat(TasksInState.unfit(List.of(FIVE), TASKS.subList(0, 2)))
        .get()
        .asString()
        .startsWith("5 impressions wait for labels of the tasks click:binary,purchase:binary,rev")
        .contains("not of click:binary,purchase:binary:");
    assertThat(TasksInState.unfit(List.of(), TASKS)).as("none in older checkpoints").isEmpty();
  }

  /** Counts are dealt out when the parallelism changes: one may be below 0. */
  @Test
  void countsAddUpOverSubtasks() throws Exception {
    String less = FIVE.replace(" 5 ", " -5 ");
    assertThat(TasksInState.unfit(List.of(FIVE, less), TASKS.subList(0, 2))).isEmpty();
    assertThat(TasksInState.unfit(List.of(FIVE, FIVE), TASKS.subList(0, 2)))
        .get()
        .asString()
        .startsWith("10 impressions");
  }

  @Test
  void readsNoOtherVersion() {
    String next = FIVE.replace("tasks-1", "tasks-2");
    assertThatThrownBy(() -> TasksInState.unfit(List.of(next), TASKS))
        .isInstanceOf(LayoutTooNewException.class)
        .hasMessageContaining("freshet-tasks has version 2");
  }
}
