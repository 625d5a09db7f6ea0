package dev.freshet.core.snapshot;

import java.io.IOException;

/** The disk is full, or cannot be written; what was to be stored is as good as before. */
public final class StorageException extends IOException {
  public StorageException(String message, Throwable cause) {
    super(message, cause);
  }
}
