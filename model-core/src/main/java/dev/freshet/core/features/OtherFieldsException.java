package dev.freshet.core.features;

/** Features were made compact with other fields than there are now; they cannot be read. */
public final class OtherFieldsException extends IllegalArgumentException {
  OtherFieldsException(String message) {
    super(message);
  }
}
