package dev.freshet.core.snapshot;

import dev.freshet.core.models.Parameter;
import dev.freshet.core.network.Network;
import dev.freshet.core.rows.EmbeddingRows;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.function.IntFunction;

/**
 * A network's weights under their published names.
 *
 * <ul>
 *   <li>{@code dense.<parameter>}: all in a base; in a delta all or none.
 *   <li>{@code embedding.<dim>.keys} (n,) and {@code .rows} (n, dim): all rows in a base, in a
 *       delta those that changed. In a model with several sets of rows {@code
 *       embedding.<dim>.<set>}.
 *   <li>{@code embedding.<dim>.dropped} (m,): in a delta only, keys whose rows are gone; a key that
 *       is dropped and among the rows has a new row.
 * </ul>
 */
public final class WeightTensors {

  private WeightTensors() {}

  /**
   * Everything.
   *
   * @param tables the network's rows, set by set, one for each group of the schema
   */
  public static SafeTensors.Writer base(
      Network network, List<? extends EmbeddingRows> tables, Precision precision) {
    SafeTensors.Writer tensors = new SafeTensors.Writer();
    dense(network, precision, tensors);
    List<Integer> dims = tables.stream().map(EmbeddingRows::dim).toList();
    for (int i = 0; i < tables.size(); i++) {
      EmbeddingRows table = tables.get(i);
      String name = tableName(dims, i);
      rows(tensors, name, table.width(), table.size(), precision, table::eachRow);
    }
    return tensors;
  }

  /** Dense weights alone, as 32-bit floats. */
  static SafeTensors.Writer dense(List<Parameter> parameters, List<FloatBuffer> weights) {
    return dense(parameters, weights::get, Precision.FLOAT32, new SafeTensors.Writer());
  }

  /** Some rows of a table. */
  public interface Rows {
    void each(EmbeddingRows.Visitor visitor) throws IOException;
  }

  /** Adds the dense weights. */
  public static void dense(Network network, Precision precision, SafeTensors.Writer tensors) {
    dense(network.parameters(), i -> network.weights().get(i).read(), precision, tensors);
  }

  private static SafeTensors.Writer dense(
      List<Parameter> parameters,
      IntFunction<FloatBuffer> weights,
      Precision precision,
      SafeTensors.Writer tensors) {
    for (int i = 0; i < parameters.size(); i++) {
      FloatBuffer values = weights.apply(i);
      String name = "dense." + parameters.get(i).name();
      tensors.floats(name, parameters.get(i).shape(), precision, sink -> sink.floats(values));
    }
    return tensors;
  }

  /** Adds rows of a table, {@code count} of them. */
  public static void rows(
      SafeTensors.Writer tensors,
      String name,
      int width,
      long count,
      Precision precision,
      Rows rows) {
    tensors.longs(
        name + ".keys",
        new long[] {count},
        sink -> rows.each((key, values, at) -> sink.value(key)));
    tensors.floats(
        name + ".rows",
        new long[] {count, width},
        precision,
        sink -> rows.each((key, values, at) -> sink.floats(values, at, width)));
  }

  /**
   * {@code embedding.<dim>}; in a model with several sets of rows {@code embedding.<dim>.<set>}.
   *
   * @param dims of all tables
   */
  public static String tableName(List<Integer> dims, int table) {
    int dim = dims.get(table);
    long sets = dims.stream().filter(d -> d == dim).count();
    long set = dims.subList(0, table).stream().filter(d -> d == dim).count();
    return "embedding." + dim + (sets > 1 ? "." + set : "");
  }
}
