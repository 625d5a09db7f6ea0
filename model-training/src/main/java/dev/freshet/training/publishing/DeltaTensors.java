package dev.freshet.training.publishing;

import dev.freshet.core.snapshot.Precision;
import dev.freshet.core.snapshot.SafeTensors;
import dev.freshet.core.snapshot.WeightTensors;
import dev.freshet.training.Learner;
import dev.freshet.training.rows.EmbeddingTable;
import java.io.IOException;
import java.util.List;

/** Changes in a model since its last version, under the names of {@link WeightTensors}. */
final class DeltaTensors {

  private DeltaTensors() {}

  static SafeTensors.Writer of(Learner learner, Precision precision, boolean withDense) {
    SafeTensors.Writer tensors = new SafeTensors.Writer();
    if (withDense) {
      WeightTensors.dense(learner.network(), precision, tensors);
    }
    List<Integer> dims = learner.tables().stream().map(EmbeddingTable::dim).toList();
    for (int i = 0; i < dims.size(); i++) {
      EmbeddingTable table = learner.tables().get(i);
      String name = WeightTensors.tableName(dims, i);
      WeightTensors.rows(
          tensors, name, table.width(), touched(table), precision, table::eachTouched);
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

  private static long touched(EmbeddingTable table) {
    long[] count = {0};
    try {
      table.eachTouched((key, values, at) -> count[0]++);
    } catch (IOException e) {
      throw new IllegalStateException("counting does no I/O", e);
    }
    return count[0];
  }
}
