package dev.freshet.experiments.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ByteLinesTest {

  private static final String TEXT = "\ufeffone\r\n\n\ufefftwo\nthree";

  @TempDir private Path folder;

  @Test
  void filesAreReadAsPeopleHaveThem() throws IOException {
    byte[] text = TEXT.getBytes(StandardCharsets.UTF_8);
    ByteArrayOutputStream gzipped = new ByteArrayOutputStream();
    try (OutputStream out = new GZIPOutputStream(gzipped)) {
      out.write(text);
    }
    ByteArrayOutputStream zipped = new ByteArrayOutputStream();
    try (ZipOutputStream out = new ZipOutputStream(zipped)) {
      out.putNextEntry(new ZipEntry("events"));
      out.write(text);
    }
    assertThat(lines("plain", text)).as("a mark ends at the first line").isEqualTo(EXPECTED);
    for (String name : List.of("named.gz", "without-a-name")) {
      assertThat(lines(name, gzipped.toByteArray())).as(name).isEqualTo(EXPECTED);
    }
    for (String name : List.of("named.zip", "without-a-name")) {
      assertThat(lines(name, zipped.toByteArray())).as(name).isEqualTo(EXPECTED);
    }
    assertThat(lines("empty", new byte[0])).isEmpty();
    assertThat(lines("one", new byte[] {'P'})).containsExactly("P");
    assertThatThrownBy(() -> lines("plain.gz", text)).isInstanceOf(ZipException.class);
  }

  private static final List<String> EXPECTED = List.of("one", "", "\ufefftwo", "three");

  private List<String> lines(String name, byte[] content) throws IOException {
    List<String> lines = new ArrayList<>();
    try (ByteLines file = new ByteLines(Files.write(folder.resolve(name), content), 100)) {
      for (byte[] line = file.next(); line != null; line = file.next()) {
        lines.add(new String(line, StandardCharsets.UTF_8));
      }
    }
    return lines;
  }
}
