package dev.freshet.core.labels;

import dev.freshet.core.settings.EnumNames;

/**
 * Maturity of a label on an example. An impression carries each kind, {@link #PENDING} and {@link
 * #LATE_COPY} of amounts excepted, at most once per task, and every task ends with exactly one
 * {@link #FINAL}.
 */
public enum LabelKind {
  /** No label for this task on this example. */
  NONE,
  /** The label as it is at the first moment at which the correction emits one. */
  FIRST,
  /**
   * Not decided yet, at a later moment of its window: what an impression has survived. It may carry
   * this kind several times.
   */
  PENDING,
  /**
   * A positive that came after the first record, which was a negative. An amount is emitted so
   * again with each event that changes it, so it may carry this kind several times.
   */
  LATE_COPY,
  /** Its window closed, or its outcome is known: nothing can change it. */
  FINAL;

  /** As in JSON: {@code late-copy}. */
  public String label() {
    return EnumNames.of(this);
  }
}
