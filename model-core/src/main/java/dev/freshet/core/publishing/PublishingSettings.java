package dev.freshet.core.publishing;

import static dev.freshet.core.settings.InvalidValueException.check;

import dev.freshet.core.settings.ByteSize;
import dev.freshet.core.settings.Option;
import java.io.Serializable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** How versions of the weights reach the model topic. */
public record PublishingSettings(
    @Option(
            value = "How often a version is published: `1 checkpoint`, `5 checkpoints`",
            fallback = "1 checkpoint")
        String every,
    @Option(value = "Versions that stay readable on the compacted topic", fallback = "3") int keep,
    @Option(
            value =
                "Largest chunk; below the broker's default message limit no broker setting is needed",
            fallback = "512KB")
        ByteSize chunk)
    implements Serializable {

  private static final Pattern EVERY = Pattern.compile("([1-9]\\d{0,5}) checkpoints?");
  private static final long LARGEST = 1_000_000;

  public PublishingSettings {
    check(EVERY.matcher(every).matches(), "every", every, "for example `1 checkpoint`");
    check(keep >= 2 && keep <= 100, "keep", keep, "2 to 100");
    check(
        chunk.bytes() >= 1024 && chunk.bytes() <= LARGEST,
        "chunk",
        chunk.bytes(),
        "1KB to 1000000 bytes");
  }

  /** Number of checkpoints from one version to the next. */
  public int everyCheckpoints() {
    Matcher matcher = EVERY.matcher(every);
    if (!matcher.matches()) {
      throw new IllegalStateException("checked in the constructor");
    }
    return Integer.parseInt(matcher.group(1));
  }
}
