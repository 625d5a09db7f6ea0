package dev.freshet.local.commands;

import dev.freshet.core.snapshot.ModelVersion;
import dev.freshet.server.options.Usage;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** For commands about one version: their {@code --version} is not that of the program. */
final class VersionOption {

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this help message and exit.")
  private boolean help;

  @Option(
      names = "--version",
      paramLabel = "RUN-STEP",
      description = "The version. Default: the newest.")
  private @Nullable String version;

  /** The version that was asked for; null for the newest. */
  @Nullable String version() {
    if (version != null) {
      try {
        ModelVersion.parse(version);
      } catch (IllegalArgumentException e) {
        throw new Usage("--version: " + e.getMessage());
      }
    }
    return version;
  }

  /** For a version that the topic does not hold. */
  Usage notThere(String model) {
    return new Usage(
        version == null
            ? "model " + model + " has no version on the topic yet"
            : "version " + version + " is not, or no longer, on the topic; see models list");
  }
}
