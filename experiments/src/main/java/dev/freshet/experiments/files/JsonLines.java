package dev.freshet.experiments.files;

import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** A file with a message in each line. */
final class JsonLines implements EventLines {

  private final ByteLines lines;
  private long number;

  JsonLines(Path file, int longest) throws IOException {
    lines = new ByteLines(file, longest);
  }

  @Override
  public @Nullable EventLine next() throws IOException {
    byte[] line;
    do {
      line = lines.next();
      number++;
    } while (line != null && ByteLines.blank(line));
    return line == null ? null : new EventLine(line, number, lines.tooLong());
  }

  /** Half of an archive would be noticed when half of it is learnt. */
  @Override
  public void readToEnd() throws IOException {
    if (lines.packed()) {
      lines.readToEnd();
    }
  }

  @Override
  public void close() throws IOException {
    lines.close();
  }
}
