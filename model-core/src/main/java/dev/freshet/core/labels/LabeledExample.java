package dev.freshet.core.labels;

import dev.freshet.core.events.Impression;
import java.io.Serializable;

/**
 * An impression with what is known of its tasks at one moment. The pair of impression id and {@link
 * #tag()} is unique in the stream.
 *
 * @param emittedAt event time at which the labels were read, epoch milliseconds
 * @param labels one per task of the pipeline, {@link TaskLabel#NONE} where this example is silent
 */
public record LabeledExample(Impression impression, long emittedAt, TaskLabel[] labels)
    implements Serializable {

  /**
   * Kinds of the labels in task order, for example {@code final.none}. For an amount that is
   * emitted with each change, its number is part of it: {@code none.late-copy-2}.
   */
  public String tag() {
    StringBuilder tag = new StringBuilder();
    for (TaskLabel label : labels) {
      tag.append(tag.isEmpty() ? "" : ".").append(label.kind().label());
      if (label.changes() > 0 && !label.isFinal()) {
        tag.append('-').append(label.changes());
      }
    }
    return tag.toString();
  }

  /** True if no task has a label: an impression that is sent on to be scored when it arrives. */
  public boolean unlabelled() {
    return TaskLabel.noneOf(labels);
  }
}
