package dev.freshet.benchmarks;

/** The fields of the benchmarks' pipelines, which are all alike. */
public final class Fields {

  private Fields() {}

  /** So many of size 16, f0, f1 and so on, in a pipeline file; each value has a row at once. */
  public static String features(int count) {
    StringBuilder file = new StringBuilder("features:\n");
    for (int i = 0; i < count; i++) {
      file.append("  - {name: f%d, kind: categorical, dim: 16, admit-after: 1}%n".formatted(i));
    }
    return file.toString();
  }
}
