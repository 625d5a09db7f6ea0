package dev.freshet.benchmarks.step;

import dev.freshet.benchmarks.Rounds;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What was measured of one model and size of batch.
 *
 * @param difference of the peer; null without one
 */
record StepResult(
    String model,
    int batch,
    Products products,
    Rounds rounds,
    Peer.@Nullable Difference difference) {

  static final List<String> COLUMNS =
      List.of(
          "model",
          "batch",
          "MFLOP/ex",
          "total ms",
          "gather",
          "script",
          "rows",
          "rest",
          "(predict)",
          "floor ms",
          "floor/script",
          "floor/total",
          "peer ms",
          "peer/total",
          "forward diff",
          "gradient diff");

  /** A line of the table, by {@link #COLUMNS}. */
  List<String> line() {
    boolean peer = difference != null;
    return List.of(
        model,
        Integer.toString(batch),
        format("%.2f", products.flops() / 1e6),
        format("%.2f", rounds.median("total")),
        format("%.2f", rounds.median("gather")),
        format("%.2f", rounds.median("script")),
        format("%.2f", rounds.median("rows")),
        format("%.2f", rest()),
        format("%.2f", rounds.median("predict")),
        format("%.2f", rounds.median("floor")),
        format("%.2f", rounds.ratio("floor", "script")),
        format("%.2f", rounds.ratio("floor", "total")),
        peer ? format("%.2f", rounds.median("peer")) : "",
        peer ? format("%.2f", rounds.ratio("peer", "total")) : "",
        peer ? format("%.0e", difference.forward()) : "",
        peer ? format("%.0e", difference.gradient()) : "");
  }

  /** Of the round what is none of its pieces: targets, scores, statistics. */
  private double rest() {
    return rounds.median("total")
        - rounds.median("gather")
        - rounds.median("script")
        - rounds.median("rows");
  }

  private static String format(String format, double value) {
    return String.format(Locale.ROOT, format, value);
  }

  Map<String, Object> json() {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("model", model);
    all.put("batch", batch);
    all.put("flops_an_example", products.flops());
    all.put("flops_an_example_left_out", products.leftOut());
    all.put("floor_to_script", rounds.ratio("floor", "script"));
    all.put("floor_to_total", rounds.ratio("floor", "total"));
    if (difference != null) {
      all.put("peer_to_total", rounds.ratio("peer", "total"));
      all.put("forward_difference", difference.forward());
      all.put("gradient_difference", difference.gradient());
      all.put("peer_torch", difference.version());
    }
    all.put("ms_by_round", rounds.all());
    all.put("products", products.of(batch));
    return all;
  }
}
