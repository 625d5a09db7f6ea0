package dev.freshet.core.codec;

/** Bytes of a version that this code does not know yet. The message says what to do. */
public final class LayoutTooNewException extends LayoutException {

  LayoutTooNewException(Layout layout, int version) {
    super(
        layout.misses(version)
            + ": a newer Freshet wrote it. Run that one or a newer one here, or start from what this"
            + " one or an older one wrote");
  }
}
