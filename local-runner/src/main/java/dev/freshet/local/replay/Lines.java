package dev.freshet.local.replay;

import java.io.BufferedReader;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipInputStream;

/** Opens text files as people have them: plain, gzipped, or the first file of a zip. */
public final class Lines {

  private static final int BUFFER = 1 << 16;

  private Lines() {}

  public static BufferedReader open(Path file) throws IOException {
    return new BufferedReader(new InputStreamReader(bytes(file), StandardCharsets.UTF_8), BUFFER);
  }

  static InputStream bytes(Path file) throws IOException {
    InputStream in = Files.newInputStream(file);
    try {
      return unpacked(file, in);
    } catch (IOException e) {
      in.close();
      throw e;
    }
  }

  private static InputStream unpacked(Path file, InputStream in) throws IOException {
    String name = file.getFileName().toString();
    if (name.endsWith(".gz")) {
      return new GZIPInputStream(in, BUFFER);
    }
    if (name.endsWith(".zip")) {
      ZipInputStream zip = new ZipInputStream(in);
      if (zip.getNextEntry() == null) {
        throw new FileNotFoundException(file + " holds no file");
      }
      return zip;
    }
    return in;
  }
}
