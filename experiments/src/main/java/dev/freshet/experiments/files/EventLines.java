package dev.freshet.experiments.files;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The messages of a file, one by one as JSON in UTF-8, whatever the file's format is. */
public interface EventLines extends Closeable {

  /**
   * Opens a file. The end of its name, before {@code .gz} or {@code .zip}, tells the format: {@code
   * .csv}, {@code .tsv} or {@code .parquet}; all others hold a message in each line.
   *
   * @param longest bytes of a message that are kept
   * @throws IOException if it is none of this format
   */
  static EventLines open(Path file, int longest) throws IOException {
    String name = file.toString().toLowerCase(Locale.ROOT).replaceFirst("\\.(gz|zip)$", "");
    if (name.endsWith(".parquet")) {
      return new ParquetRows(file, longest);
    }
    return name.endsWith(".csv") || name.endsWith(".tsv")
        ? new CsvRows(file, longest)
        : new JsonLines(file, longest);
  }

  /** As {@link #open(Path, int)}, of messages of any length. */
  static EventLines open(Path file) throws IOException {
    return open(file, Integer.MAX_VALUE);
  }

  /** The next one, which is not blank, or null after the last. */
  @Nullable EventLine next() throws IOException;

  /** Reads what may show only at the end that the file is not whole. */
  void readToEnd() throws IOException;
}
