package dev.freshet.server.options;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Checks of an option that names a file or a folder, before anything is done. */
public final class PathOption {

  private PathOption() {}

  /** A file that is read; not only regular ones, so that pipes are fine. */
  public static void file(String option, Path path) {
    if (Files.isDirectory(path)) {
      throw new Usage(option + ": '" + path + "' is a folder; allowed: a file");
    }
    if (!Files.exists(path)) {
      throw new Usage(option + ": '" + path + "': no such file");
    }
    if (!Files.isReadable(path)) {
      throw new Usage(option + ": '" + path + "' cannot be read; allowed: a file that can");
    }
  }

  /**
   * Files that are read: each that is named, and of a folder all that are in it, in the order of
   * their names, but for those whose names begin with a dot or an underscore.
   */
  public static List<Path> files(String option, List<Path> paths) {
    List<Path> files = new ArrayList<>();
    for (Path path : paths) {
      if (!Files.isDirectory(path)) {
        file(option, path);
        files.add(path);
        continue;
      }
      int before = files.size();
      try (Stream<Path> within = Files.list(path)) {
        within
            .filter(one -> Files.isRegularFile(one))
            .filter(one -> !String.valueOf(one.getFileName()).matches("[._].*"))
            .sorted()
            .forEach(files::add);
      } catch (IOException e) {
        throw new Usage(option + ": '" + path + "' cannot be read: " + e.getMessage());
      }
      if (files.size() == before) {
        throw new Usage(option + ": '" + path + "' is a folder without files");
      }
    }
    return files;
  }

  /** A file that is written, in a folder that is there. */
  public static void newFile(String option, Path path) {
    if (Files.isDirectory(path)) {
      throw new Usage(option + ": '" + path + "' is a folder; allowed: a file");
    }
    Path folder = requireNonNull(path.toAbsolutePath().getParent(), "only a folder has none");
    boolean writable = Files.exists(path) ? Files.isWritable(path) : Files.isWritable(folder);
    if (!Files.isDirectory(folder) || !writable) {
      throw new Usage(
          option + ": '" + path + "'; allowed: a file in a folder that can be written to");
    }
  }

  /** A folder that is written to, and made if it is not there. */
  public static void folder(String option, Path path) {
    Path made = path.toAbsolutePath();
    while (!Files.exists(made) && made.getParent() != null) {
      made = made.getParent();
    }
    if (!Files.isDirectory(made)) {
      throw new Usage(
          option
              + ": '"
              + path
              + (Files.exists(path) ? "' is a file" : "' is in a file")
              + "; allowed: a folder");
    }
    if (!Files.isWritable(made)) {
      throw new Usage(option + ": '" + path + "'; allowed: a folder that can be written to");
    }
  }
}
