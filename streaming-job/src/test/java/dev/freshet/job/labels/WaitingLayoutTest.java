package dev.freshet.job.labels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.freshet.core.codec.LayoutTooNewException;
import dev.freshet.core.labels.Task;
import dev.freshet.core.pipeline.TestingPipelines;
import java.util.List;
import org.junit.jupiter.api.Test;

class WaitingLayoutTest {

  private static final List<Task> TASKS = TestingPipelines.shop().tasks();

  /** As checkpoints hold it: what was written once has to be read for good. */
  private static final String FIRST =
      "freshet-tasks-1 5 click:binary,purchase:binary,revenue:continuous";

  private static final String FIVE =
      "freshet-tasks-2 5 a1b2 click:binary,purchase:binary,revenue:continuous";

  private static final String OF_FEEDBACK =
      "freshet-tasks-3 5 by=user%2C+id,item click:binary,purchase:binary,revenue:continuous";

  private static final WaitingLayout SAME = WaitingLayout.forLabels(TASKS, "a1b2");
  private static final WaitingLayout FEWER = WaitingLayout.forLabels(TASKS.subList(0, 2), "a1b2");

  @Test
  void readsWhatWasWritten() throws Exception {
    for (String five : List.of(FIRST, FIVE)) {
      assertThat(SAME.unfit(List.of(five))).isEmpty();
      assertThat(FEWER.unfit(List.of(five)))
          .get()
          .asString()
          .startsWith("5 impressions wait for labels of the tasks click:binary,purchase:binary,rev")
          .contains("not of click:binary,purchase:binary:");
    }
    assertThat(SAME.unfit(List.of())).as("none in older checkpoints").isEmpty();
  }

  @Test
  void holdsFieldsAgainstThoseOfNow() throws Exception {
    WaitingLayout wider = WaitingLayout.forLabels(TASKS, "c3d4");
    assertThat(wider.unfit(List.of(FIVE)))
        .get()
        .asString()
        .startsWith("5 impressions wait with other fields");
    assertThat(wider.unfit(List.of(FIRST))).as("did not say").isEmpty();
    assertThat(wider.unfit(List.of(FIVE.replace(" 5 ", " 0 ")))).isEmpty();
  }

  @Test
  void holdsFieldsOfFeedbackAgainstThoseOfNow() throws Exception {
    WaitingLayout same = WaitingLayout.forFeedback(TASKS, List.of("user, id", "item"));
    assertThat(same.unfit(List.of(OF_FEEDBACK))).isEmpty();
    assertThat(same.unfit(List.of(FIVE.replace("a1b2", "-")))).as("did not say").isEmpty();
    WaitingLayout turned = WaitingLayout.forFeedback(TASKS, List.of("item", "user, id"));
    assertThat(turned.unfit(List.of(OF_FEEDBACK)))
        .get()
        .asString()
        .startsWith(
            "5 impressions wait for feedback that counts by user, id,item, not by item,user");
    assertThat(turned.unfit(List.of(OF_FEEDBACK.replace(" 5 ", " 0 ")))).isEmpty();
    WaitingLayout fewer = WaitingLayout.forFeedback(TASKS, List.of("user, id"));
    assertThat(fewer.unfit(List.of(OF_FEEDBACK))).as("the last falls away").isEmpty();
    WaitingLayout more = WaitingLayout.forFeedback(TASKS, List.of("user, id", "item", "shop"));
    assertThat(more.unfit(List.of(OF_FEEDBACK))).isPresent();
    WaitingLayout prefix = WaitingLayout.forFeedback(TASKS, List.of("user"));
    assertThat(prefix.unfit(List.of(OF_FEEDBACK))).as("no field of that name").isPresent();
  }

  /** Counts are dealt out when the parallelism changes: one may be below 0. */
  @Test
  void countsAddUpOverSubtasks() throws Exception {
    String less = FIVE.replace(" 5 ", " -5 ");
    assertThat(FEWER.unfit(List.of(FIVE, less))).isEmpty();
    assertThat(FEWER.unfit(List.of(FIVE, FIVE))).get().asString().startsWith("10 impressions");
  }

  @Test
  void readsNoOtherVersion() {
    String next = FIVE.replace("tasks-2", "tasks-4");
    assertThatThrownBy(() -> SAME.unfit(List.of(next)))
        .isInstanceOf(LayoutTooNewException.class)
        .hasMessageContaining("freshet-tasks has version 4");
  }
}
