package dev.freshet.job.labels;

import org.apache.flink.api.common.accumulators.Accumulator;

/** The first text that any subtask has, or an empty one. */
public final class FirstText implements Accumulator<String, String> {

  private static final long serialVersionUID = 1;

  private String first = "";

  @Override
  public void add(String text) {
    if (first.isEmpty()) {
      first = text;
    }
  }

  @Override
  public String getLocalValue() {
    return first;
  }

  @Override
  public void resetLocal() {
    first = "";
  }

  @Override
  public void merge(Accumulator<String, String> other) {
    add(other.getLocalValue());
  }

  @Override
  public Accumulator<String, String> clone() {
    FirstText copy = new FirstText();
    copy.add(first);
    return copy;
  }
}
