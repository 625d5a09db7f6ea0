package dev.freshet.experiments.files;

import java.io.BufferedInputStream;
import java.io.BufferedReader;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipInputStream;

/**
 * Opens text files as people have them: plain, gzipped, or the first file of a zip, told by their
 * names or else by their first bytes. A byte order mark, which editors and spreadsheets write at
 * the beginning of a file, is passed over.
 */
public final class Lines {

  private static final int BUFFER = 1 << 16;
  private static final byte[] GZIP = {0x1f, (byte) 0x8b};
  private static final byte[] ZIP = {'P', 'K', 3, 4};
  private static final byte[] MARK = {(byte) 0xef, (byte) 0xbb, (byte) 0xbf};

  private Lines() {}

  public static BufferedReader open(Path file) throws IOException {
    return new BufferedReader(
        new InputStreamReader(bytes(file).bytes(), StandardCharsets.UTF_8), BUFFER);
  }

  /**
   * A file that was opened.
   *
   * @param bytes of its text
   * @param packed true if it is compressed
   */
  record Opened(InputStream bytes, boolean packed) {}

  static Opened bytes(Path file) throws IOException {
    InputStream in = new BufferedInputStream(Files.newInputStream(file), BUFFER);
    try {
      InputStream unpacked = unpacked(file, in);
      InputStream text = new BufferedInputStream(unpacked, BUFFER);
      if (begins(text, MARK)) {
        text.skipNBytes(MARK.length);
      }
      return new Opened(text, unpacked != in);
    } catch (IOException e) {
      in.close();
      throw e;
    }
  }

  private static boolean isGzip(Path file, InputStream in) throws IOException {
    return file.getFileName().toString().endsWith(".gz") || begins(in, GZIP);
  }

  private static boolean isZip(Path file, InputStream in) throws IOException {
    return file.getFileName().toString().endsWith(".zip") || begins(in, ZIP);
  }

  private static InputStream unpacked(Path file, InputStream in) throws IOException {
    if (isGzip(file, in)) {
      return new GZIPInputStream(in, BUFFER);
    }
    if (isZip(file, in)) {
      ZipInputStream zip = new ZipInputStream(in);
      if (zip.getNextEntry() == null) {
        throw new FileNotFoundException(file + " holds no file");
      }
      return zip;
    }
    return in;
  }

  private static boolean begins(InputStream in, byte[] with) throws IOException {
    in.mark(with.length);
    byte[] first = in.readNBytes(with.length);
    in.reset();
    return Arrays.equals(first, with);
  }
}
