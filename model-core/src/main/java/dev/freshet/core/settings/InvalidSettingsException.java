package dev.freshet.core.settings;

import java.util.List;
import java.util.stream.Collectors;

/** The pipeline file cannot be used; the message lists every problem, one a line. */
public final class InvalidSettingsException extends RuntimeException {

  private final transient List<Problems.Problem> problems;

  public InvalidSettingsException(String source, List<Problems.Problem> problems) {
    super(
        source
            + ": "
            + problems.size()
            + (problems.size() == 1 ? " problem" : " problems")
            + problems.stream().map(p -> "\n  " + p).collect(Collectors.joining()));
    this.problems = List.copyOf(problems);
  }

  public List<Problems.Problem> problems() {
    return problems;
  }
}
