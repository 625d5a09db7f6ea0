package dev.freshet.local.importers;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Turns a public data set's own files into Freshet's events. */
public interface Importer {

  /**
   * Reads the files and writes their events.
   *
   * @throws IOException if a file is not in the data set's published layout; the message says where
   */
  void run(List<Path> files, EventFiles out) throws IOException;
}
