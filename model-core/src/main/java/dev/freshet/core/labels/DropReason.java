package dev.freshet.core.labels;

import dev.freshet.core.settings.RecordBinder;

/** Why an event that was well formed has no part in any label. */
public enum DropReason {
  /** It came after its window had closed. */
  LATE,
  /** Its impression, or the event of the task before it, never came. */
  ORPHANED,
  /** An event with this id was there already. */
  DUPLICATE,
  /** Its impression holds as many events as it may. */
  TOO_MANY;

  /** As in metrics and reports. */
  public String label() {
    return RecordBinder.written(this);
  }
}
