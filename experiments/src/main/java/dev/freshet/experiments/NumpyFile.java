package dev.freshet.experiments;

import java.io.BufferedOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Writes a table of floats as NumPy reads it, in version 1.0 of its format.
 *
 * <pre>
 * 0x93 'NUMPY' | byte 1 | byte 0 | short length of the header, little-endian | header, ASCII
 * | floats, little-endian, row by row
 * </pre>
 *
 * The header is padded with spaces and ends with a new line, so that floats begin at a multiple of
 * 64 bytes.
 */
final class NumpyFile {

  private static final int PREAMBLE = 10;
  private static final int ALIGNMENT = 64;

  private NumpyFile() {}

  static void write(Path file, float[][] rows, int columns) throws IOException {
    String header =
        "{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }"
            .formatted(rows.length, columns);
    int bare = PREAMBLE + header.length() + 1;
    int length = header.length() + 1 + (ALIGNMENT - bare % ALIGNMENT) % ALIGNMENT;
    try (DataOutputStream out =
        new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(file)))) {
      out.write(0x93);
      out.write("NUMPY".getBytes(StandardCharsets.US_ASCII));
      out.write(new byte[] {1, 0});
      out.writeShort(Short.reverseBytes((short) length));
      String padded = ("%-" + (length - 1) + "s%n").formatted(header).replace("\r", "");
      out.write(padded.getBytes(StandardCharsets.US_ASCII));
      for (float[] row : rows) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * columns).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(row);
        out.write(bytes.array());
      }
    }
  }
}
