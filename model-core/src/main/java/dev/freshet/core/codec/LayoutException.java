package dev.freshet.core.codec;

import java.io.IOException;

/** Bytes of a version that this code does not read: whoever tries again fails again. */
public abstract sealed class LayoutException extends IOException
    permits LayoutTooNewException, LayoutTooOldException {

  LayoutException(String message) {
    super(message);
  }
}
