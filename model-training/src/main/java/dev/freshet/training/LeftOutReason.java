package dev.freshet.training;

import dev.freshet.core.settings.EnumNames;

/** Why a labelled example taught a model nothing although it should have. */
public enum LeftOutReason {
  /**
   * The loss or a gradient of its batch was not finite or too large, that of the model or only that
   * of its delay heads.
   */
  SKIPPED_BATCH;

  /** As in metrics and reports. */
  public String label() {
    return EnumNames.of(this);
  }
}
