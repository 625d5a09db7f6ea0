package dev.freshet.core.codec;

/** Bytes of a version that this code no longer knows. The message says what to do. */
public final class LayoutTooOldException extends LayoutException {

  LayoutTooOldException(Layout layout, int version) {
    super(
        layout.misses(version)
            + ": an older Freshet wrote it. Let a Freshet of between, which reads both, read it and"
            + " write it anew (a job: start it from there and stop it with a savepoint), and start"
            + " from that");
  }
}
