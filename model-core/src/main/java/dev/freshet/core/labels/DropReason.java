package dev.freshet.core.labels;

import dev.freshet.core.settings.EnumNames;

/** Why an event that was well formed has no part in any label. */
public enum DropReason {
  /**
   * Too late. Of an impression: the watermark had passed the end of its first window. Of feedback:
   * what it follows from is there, but it happened after its window, or came after its label had
   * been emitted; or no impression is there and the watermark was more than {@code
   * labels.orphan-wait} past it when it came, so that its impression may be finished.
   */
  LATE,
  /** Nothing to belong to: its impression never came in time, or is not remembered any more. */
  ORPHANED("no-impression"),
  /** An event with this id was there already. */
  DUPLICATE,
  /** Its impression holds as many events as it may. */
  TOO_MANY,
  /** Orphaned, too: its impression is there, but the event of the task before it is not. */
  NO_PARENT("no-parent"),
  /**
   * Orphaned, too: it happened after all labels of its impression were final, when nothing
   * remembers that.
   */
  AFTER_END("after-end"),
  /**
   * Orphaned, too: what it could follow from is there, but happened later, by more than {@code
   * labels.clock-skew}; mostly a matter of clocks and time zones.
   */
  BEFORE_PARENT("before-parent");

  private final String cause;

  DropReason() {
    this("");
  }

  DropReason(String cause) {
    this.cause = cause;
  }

  /** Which of the causes that share a label; empty where there is one. */
  public String cause() {
    return cause;
  }

  /** As in metrics and reports. */
  public String label() {
    return EnumNames.of(cause.isEmpty() ? this : ORPHANED);
  }
}
