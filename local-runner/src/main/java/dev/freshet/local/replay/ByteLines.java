package dev.freshet.local.replay;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * The lines of a file as they are, byte for byte: what is not UTF-8 is for others to refuse, not
 * for a reader to mend. Plain, gzipped, or the first file of a zip.
 */
public final class ByteLines implements Closeable {

  private static final int BUFFER = 1 << 16;

  private final InputStream in;
  private final int longest;
  private final ByteArrayOutputStream line = new ByteArrayOutputStream();
  private boolean tooLong;

  /**
   * @param longest bytes of a line that are kept; the rest of a longer one is passed over
   */
  public ByteLines(Path file, int longest) throws IOException {
    in = new BufferedInputStream(Lines.bytes(file), BUFFER);
    this.longest = longest;
  }

  /** The next line without its end, or null after the last. */
  public byte[] next() throws IOException {
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

  /** Whether the last line was cut. */
  public boolean tooLong() {
    return tooLong;
  }

  /** Whether there is nothing in a line. */
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
