package dev.freshet.core.pipeline;

import static dev.freshet.core.settings.InvalidValueException.check;

import dev.freshet.core.settings.ByteSize;
import dev.freshet.core.settings.Option;
import dev.freshet.core.snapshot.Precision;
import java.io.Serializable;
import java.time.Duration;
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
            fallback = "256KB")
        ByteSize chunk,
    @Option(
            value =
                "One version in so many is published as a base too, which holds all weights;"
                    + " otherwise as what changed alone. 1 publishes bases only",
            fallback = "20")
        int baseEvery,
    @Option(
            value = "A version is a base alone if what changed is larger than this share of one",
            fallback = "0.5")
        double largestDelta,
    @Option(
            value = "One delta in so many holds the dense weights; rows are in every one",
            fallback = "1")
        int denseEvery,
    @Option(value = "How published floats are written", fallback = "float32") Precision precision,
    @Option("Checks that a version must pass to be announced") Gate gate)
    implements Serializable {

  /** Bounds of what may be announced; weights that are not finite never are. */
  public record Gate(
      @Option(value = "Largest norm of a dense tensor or an embedding row", fallback = "1000")
          double maxNorm,
      @Option(
              value =
                  "How much worse, as a share, a task's normalised entropy or NRMSE may be than"
                      + " that of the version in use on the same labels",
              fallback = "0.5")
          double worseBy,
      @Option(
              value =
                  "After so long without a version (by the clock) the next one is announced whatever"
                      + " its norms and scores, with a warning; weights that are not finite never"
                      + " are, nor what was learnt from nothing (the next two keys)",
              fallback = "1h")
          Duration maxAge,
      @Option(
              value =
                  "A model waits, before its first version, for every field of `features` to have"
                      + " been in one of the examples that it has learnt; false where a field"
                      + " will only come later",
              fallback = "true")
          boolean requireFields,
      @Option(
              value =
                  "A model is held back while a task has had so many final labels and not one"
                      + " positive (or amount) among them; of a task with `after`, labels of"
                      + " impressions where"
                      + " that step happened. 0 holds nothing back",
              fallback = "500")
          int requireLabels)
      implements Serializable {

    public Gate {
      check(maxNorm > 0, "max-norm", maxNorm, "above 0");
      check(worseBy >= 0, "worse-by", worseBy, "0 or more");
      check(!maxAge.isZero() && !maxAge.isNegative(), "max-age", maxAge, "a duration above zero");
      check(requireLabels >= 0, "require-labels", requireLabels, "0 or more");
    }
  }

  private static final Pattern EVERY = Pattern.compile("([1-9]\\d{0,5}) checkpoints?");
  private static final long LARGEST = 1_000_000;

  public PublishingSettings {
    check(EVERY.matcher(every).matches(), "every", every, "for example `1 checkpoint`");
    check(keep >= 2 && keep <= 100, "keep", keep, "2 to 100");
    check(baseEvery >= 1 && baseEvery <= 1000, "base-every", baseEvery, "1 to 1000");
    check(largestDelta >= 0, "largest-delta", largestDelta, "0 or more");
    check(denseEvery >= 1, "dense-every", denseEvery, "1 or more");
    check(
        chunk.bytes() >= 1024 && chunk.bytes() <= LARGEST,
        "chunk",
        chunk.bytes(),
        "1KB to 1000000 bytes");
  }

  /**
   * Manifests that are on the topic at a time: those of versions that have to stay readable, before
   * the oldest of them all back to its base, and one more for each that is a delta and a base.
   */
  public int slots() {
    int both = baseEvery == 1 ? 0 : (keep + baseEvery - 2) / baseEvery;
    return keep + baseEvery - 1 + both;
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
