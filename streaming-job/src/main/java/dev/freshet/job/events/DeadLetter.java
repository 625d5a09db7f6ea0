package dev.freshet.job.events;

import java.io.Serializable;
import org.jspecify.annotations.Nullable;

/**
 * A message that no label will come of, or an example that a model did not learn, on its way to the
 * dead-letter topic.
 *
 * @param key of the message; null if it has none
 * @param value the original bytes of a rejected message, null if it has none; of an event that was
 *     parsed but left out of the join, the event as JSON; of an example, its labels as JSON
 * @param reason for metrics and filters, such as {@code missing-field} or {@code late}
 * @param error for people: field, value, what is allowed
 * @param kind {@code impression} or the name of a task; empty where the message does not tell
 * @param field the field at fault, such as {@code features.price}; empty for none in particular
 * @param topic where it came from, empty for an event that had been parsed
 * @param model that did not learn an example; empty for events
 */
public record DeadLetter(
    byte @Nullable [] key,
    byte @Nullable [] value,
    String reason,
    String error,
    String kind,
    String field,
    String topic,
    int partition,
    long offset,
    String model)
    implements Serializable {

  /** The kind of an impression; all others are named as their tasks. */
  public static final String IMPRESSION = "impression";

  /** Of an event. */
  public DeadLetter(
      byte @Nullable [] key,
      byte @Nullable [] value,
      String reason,
      String error,
      String kind,
      String field,
      String topic,
      int partition,
      long offset) {
    this(key, value, reason, error, kind, field, topic, partition, offset, "");
  }
}
