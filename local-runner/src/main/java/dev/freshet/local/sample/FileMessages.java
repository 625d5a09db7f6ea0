package dev.freshet.local.sample;

import dev.freshet.experiments.files.EventLine;
import dev.freshet.experiments.files.EventLines;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** The messages of a file. */
public final class FileMessages implements MessageSource {

  /** Most bytes of a line: what Kafka takes by default, less what surrounds the event. */
  public static final int LONGEST_LINE = 1_000_000;

  private final Path file;
  private final EventLines lines;

  public FileMessages(Path file) throws IOException {
    this.file = file;
    lines = EventLines.open(file, LONGEST_LINE);
  }

  @Override
  public String name() {
    return file.toString();
  }

  @Override
  public @Nullable Message next() throws IOException {
    EventLine line = lines.next();
    return line == null
        ? null
        : new Message(line.bytes(), "line " + line.number(), 0, line.tooLong());
  }

  @Override
  public void close() throws IOException {
    lines.close();
  }
}
