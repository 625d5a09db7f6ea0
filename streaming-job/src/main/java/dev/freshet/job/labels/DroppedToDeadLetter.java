package dev.freshet.job.labels;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.freshet.core.events.EventFormat;
import dev.freshet.core.events.EventTree;
import dev.freshet.core.labels.DroppedEvent;
import dev.freshet.core.labels.Task;
import dev.freshet.core.settings.Durations;
import dev.freshet.job.events.DeadLetter;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.apache.flink.api.common.functions.MapFunction;

/** Writes an event that the join left out once more, in the format of the event topics. */
public final class DroppedToDeadLetter implements MapFunction<DroppedEvent, DeadLetter> {

  private final EventFormat format;
  private final List<String> tasks;

  public DroppedToDeadLetter(EventFormat format, List<Task> tasks) {
    this.format = format;
    this.tasks = tasks.stream().map(Task::name).toList();
  }

  @Override
  public DeadLetter map(DroppedEvent event) {
    String id = event.impressionId();
    long time = event.eventTime();
    ObjectNode written =
        event.task() < 0
            ? EventTree.impression(id, time)
            : EventTree.feedback(id, event.eventId(), tasks.get(event.task()), time, event.value());
    return new DeadLetter(
        id.getBytes(StandardCharsets.UTF_8),
        format.write(written),
        event.reason().label(),
        switch (event.reason()) {
          case LATE ->
              event.task() < 0
                  ? "came when the watermark had passed its first window"
                  : "happened after its window or deadline, or came after its label was emitted";
          case ORPHANED ->
              cause(event) + "its impression did not come in time, or is finished long since";
          case NO_PARENT ->
              cause(event) + "its impression is there, but the event of the task before it is not";
          case BEFORE_PARENT ->
              cause(event)
                  + "by its clock it happened "
                  + Durations.written(Duration.ofMillis(event.early()))
                  + " before what it follows from; allowed: up to labels.clock-skew";
          case AFTER_END ->
              cause(event) + "it happened after all labels of its impression were final";
          case TOO_MANY ->
              "its impression holds as many events of this task as labels.max-events allows";
          case DUPLICATE -> "an event with this id was there already";
        },
        event.task() < 0 ? DeadLetter.IMPRESSION : tasks.get(event.task()),
        "",
        "",
        -1,
        -1);
  }

  private static String cause(DroppedEvent event) {
    return event.reason().cause() + ": ";
  }
}
