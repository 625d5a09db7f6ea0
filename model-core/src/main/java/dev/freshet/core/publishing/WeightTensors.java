package dev.freshet.core.publishing;

import dev.freshet.core.models.Parameter;
import dev.freshet.core.training.Network;
import dev.freshet.core.training.embedding.EmbeddingTable;
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

  /** Everything. */
  public static SafeTensors.Writer base(Network network, Precision precision) {
    SafeTensors.Writer tensors = dense(network, precision, new SafeTensors.Writer());
    for (int i = 0; i < network.tables().size(); i++) {
      EmbeddingTable table = network.tables().get(i);
      rows(tensors, tableName(network, i), table, table.size(), precision, table::eachRow);
    }
    return tensors;
  }

  /** What changed since the last version. */
  static SafeTensors.Writer delta(Network network, Precision precision, boolean withDense) {
    SafeTensors.Writer tensors = new SafeTensors.Writer();
    if (withDense) {
      dense(network, precision, tensors);
    }
    for (int i = 0; i < network.tables().size(); i++) {
      EmbeddingTable table = network.tables().get(i);
      String name = tableName(network, i);
      rows(tensors, name, table, touched(table), precision, table::eachTouched);
      long[] dropped = table.dropped();
      tensors.longs(
          name + ".dropped",
          new long[] {dropped.length},
          sink -> {
            for (long key : dropped) {
              sink.value(key);
            }
          });
    }
    return tensors;
  }

  /** Dense weights alone, as 32-bit floats. */
  static SafeTensors.Writer dense(List<Parameter> parameters, List<FloatBuffer> weights) {
    return dense(parameters, weights::get, Precision.FLOAT32, new SafeTensors.Writer());
  }

  private interface Rows {
    void each(EmbeddingTable.RowVisitor visitor) throws IOException;
  }

  private static long touched(EmbeddingTable table) {
    long[] count = {0};
    try {
      table.eachTouched((key, values, at) -> count[0]++);
    } catch (IOException e) {
      throw new IllegalStateException("counting does no I/O", e);
    }
    return count[0];
  }

  private static SafeTensors.Writer dense(
      Network network, Precision precision, SafeTensors.Writer tensors) {
    return dense(network.parameters(), i -> network.weights().get(i).read(), precision, tensors);
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

  private static void rows(
      SafeTensors.Writer tensors,
      String name,
      EmbeddingTable table,
      long count,
      Precision precision,
      Rows rows) {
    tensors.longs(
        name + ".keys",
        new long[] {count},
        sink -> rows.each((key, values, at) -> sink.value(key)));
    tensors.floats(
        name + ".rows",
        new long[] {count, table.width()},
        precision,
        sink -> rows.each((key, values, at) -> sink.floats(values, at, table.width())));
  }

  private static String tableName(Network network, int table) {
    return tableName(network.tables().stream().map(EmbeddingTable::dim).toList(), table);
  }

  /**
   * {@code embedding.<dim>}; in a model with several sets of rows {@code embedding.<dim>.<set>}.
   *
   * @param dims of all tables
   */
  static String tableName(List<Integer> dims, int table) {
    int dim = dims.get(table);
    long sets = dims.stream().filter(d -> d == dim).count();
    long set = dims.subList(0, table).stream().filter(d -> d == dim).count();
    return "embedding." + dim + (sets > 1 ? "." + set : "");
  }
}
