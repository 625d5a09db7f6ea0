package dev.freshet.experiments.files;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The lines of a file as they are, byte for byte: what is not UTF-8 is for others to refuse, not
 * for a reader to mend. Of all files that {@link Lines} opens.
 */
public final class ByteLines implements Closeable {

  private final InputStream in;
  private final boolean packed;
  private final int longest;
  private final ByteArrayOutputStream line = new ByteArrayOutputStream();
  private boolean tooLong;

  /**
   * @param longest bytes of a line that are kept; the rest of a longer one is passed over
   */
  public ByteLines(Path file, int longest) throws IOException {
    Lines.Opened opened = Lines.bytes(file);
    in = opened.bytes();
    packed = opened.packed();
    this.longest = longest;
  }

  /** The next line without its end, or null after the last. */
  public byte @Nullable [] next() throws IOException {
    line.reset();
    tooLong = false;
    int b = in.read();
    if (b < 0) {
      return null;
    }
    for (; b >= 0 && b != '\n'; b = in.read()) {
      if (line.size() < longest) {
        line.write(b);
      } else {
        tooLong = true;
      }
    }
    byte[] bytes = line.toByteArray();
    int length = bytes.length;
    if (length > 0 && bytes[length - 1] == '\r' && !tooLong) {
      length--;
    }
    return length == bytes.length ? bytes : Arrays.copyOf(bytes, length);
  }

  /** True if the file is compressed. */
  public boolean packed() {
    return packed;
  }

  /**
   * Passes over the rest of the file.
   *
   * @throws java.io.EOFException if it is compressed and ends too early
   */
  public void readToEnd() throws IOException {
    in.transferTo(OutputStream.nullOutputStream());
  }

  /** True if the last line was cut. */
  public boolean tooLong() {
    return tooLong;
  }

  /** True if there is nothing in a line. */
  public static boolean blank(byte[] line) {
    for (byte b : line) {
      if (b > ' ' || b < 0) {
        return false;
      }
    }
    return true;
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
