package dev.freshet.experiments.importers;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Turns a public data set's own files into Freshet's events. */
public interface Importer {

  /**
   * Reads the files and writes their events; of a bad row none.
   *
   * @throws IOException if a file is not in the data set's published layout, or has a bad row and
   *     {@code bad} is strict; the message says where
   */
  void run(List<Path> files, EventFiles out, BadRows bad) throws IOException;
}
