package dev.freshet.core.settings;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/** Which code this is, as the build wrote it down. */
public final class CodeVersion {

  /** Version and commit, for example {@code 0.1.0+1a2b3c4}; a build without git says no commit. */
  public static final String CURRENT = read();

  private CodeVersion() {}

  private static String read() {
    Properties build = new Properties();
    try (InputStream in = CodeVersion.class.getResourceAsStream("/freshet-build.properties")) {
      build.load(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    String commit = build.getProperty("commit");
    return build.getProperty("version") + (commit.isEmpty() ? "" : "+" + commit);
  }
}
