package dev.freshet.core.snapshot;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Names one state of a model's weights, once and for all. After a failure training goes back to a
 * checkpoint and takes the same steps again, with other examples perhaps; the run tells those
 * weights apart.
 *
 * @param run when this run of the trainer began, epoch seconds, larger than any run before it
 * @param step optimiser steps taken
 */
public record ModelVersion(long run, long step) implements Comparable<ModelVersion> {

  private static final Pattern FORM = Pattern.compile("(\\d{1,18})-(\\d{1,18})");

  /** Parses {@code run-step}. */
  public static ModelVersion parse(String text) {
    Matcher matcher = FORM.matcher(text);
    if (!matcher.matches()) {
      throw new IllegalArgumentException(
          "'" + text + "' is no version; allowed: run-step, for example 1767225600-400");
    }
    return new ModelVersion(Long.parseLong(matcher.group(1)), Long.parseLong(matcher.group(2)));
  }

  @Override
  public int compareTo(ModelVersion other) {
    int byRun = Long.compare(run, other.run);
    return byRun != 0 ? byRun : Long.compare(step, other.step);
  }

  @Override
  public String toString() {
    return run + "-" + step;
  }
}
