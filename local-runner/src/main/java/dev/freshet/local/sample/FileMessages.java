package dev.freshet.local.sample;

import dev.freshet.experiments.files.ByteLines;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** The lines of a file, plain or compressed. */
public final class FileMessages implements MessageSource {

  /** Most bytes of a line: what Kafka takes by default, less what surrounds the event. */
  public static final int LONGEST_LINE = 1_000_000;

  private final Path file;
  private final ByteLines lines;
  private long number;

  public FileMessages(Path file) throws IOException {
    this.file = file;
    lines = new ByteLines(file, LONGEST_LINE);
  }

  @Override
  public String name() {
    return file.toString();
  }

  @Override
  public @Nullable Message next() throws IOException {
    byte[] line = lines.next();
    number++;
    while (line != null && ByteLines.blank(line)) {
      line = lines.next();
      number++;
    }
    return line == null ? null : new Message(line, "line " + number, 0, lines.tooLong());
  }

  @Override
  public void close() throws IOException {
    lines.close();
  }
}
