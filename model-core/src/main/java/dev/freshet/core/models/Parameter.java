package dev.freshet.core.models;

import java.util.ArrayList;
import java.util.List;

/**
 * One dense weight tensor of a model: its name in snapshots, its shape, and how it starts.
 *
 * @param spread start values are uniform in [-spread, spread]; 0 for zeros
 */
public record Parameter(String name, long[] shape, double spread) {

  /** Width of the unit of attention: the paper's. */
  private static final int ATTENTION = 36;

  public int size() {
    long size = 1;
    for (long length : shape) {
      size *= length;
    }
    return Math.toIntExact(size);
  }

  /** Xavier-uniform weight (in, out) and zero bias (out) of a linear layer. */
  public static List<Parameter> linear(String name, int in, int out) {
    return List.of(
        new Parameter(name + ".weight", new long[] {in, out}, Math.sqrt(6.0 / (in + out))),
        new Parameter(name + ".bias", new long[] {out}, 0));
  }

  /** ReLU layers of the given widths and linear units on top, as layers.tower reads them. */
  public static List<Parameter> tower(String name, int in, List<Integer> widths, int outputs) {
    List<Parameter> all = new ArrayList<>(layers(name, in, widths));
    int last = widths.isEmpty() ? in : widths.get(widths.size() - 1);
    all.addAll(linear(name + ".out", last, outputs));
    return all;
  }

  /** The unit that says how much a row counts beside its target, as layers.attend reads it. */
  public static List<Parameter> attention(String name, int dim) {
    List<Parameter> all = new ArrayList<>(linear(name + ".0", 3 * dim, ATTENTION));
    // It begins as the mean: whatever the row, nothing is added and nothing taken away.
    all.add(new Parameter(name + ".out.weight", new long[] {ATTENTION, 1}, 0));
    all.add(new Parameter(name + ".out.bias", new long[] {1}, 0));
    return all;
  }

  /** Linear layers of the given widths. */
  public static List<Parameter> layers(String name, int in, List<Integer> widths) {
    List<Parameter> all = new ArrayList<>();
    int width = in;
    for (int i = 0; i < widths.size(); i++) {
      all.addAll(linear(name + "." + i, width, widths.get(i)));
      width = widths.get(i);
    }
    return all;
  }
}
