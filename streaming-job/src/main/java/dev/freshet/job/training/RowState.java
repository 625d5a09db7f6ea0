package dev.freshet.job.training;

import dev.freshet.training.rows.RowLog;
import java.io.IOException;
import java.util.List;
import java.util.function.LongConsumer;
import org.apache.flink.api.common.state.KeyedStateStore;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeutils.base.array.BytePrimitiveArraySerializer;

/**
 * The chunks of a trainer's rows in keyed state, of which RocksDB's incremental checkpoints send
 * what is new. Keys are the chunks' numbers, and no element's.
 *
 * <p>Each generation has a state, which RocksDB keeps in files of its own. In files in which new
 * numbers only come at the end and old ones only go at the beginning compaction finds next to
 * nothing to rewrite.
 */
final class RowState implements RowLog.Store {

  private final List<ValueState<byte[]>> generations;
  private final LongConsumer key;

  /**
   * @param key sets the current key
   */
  RowState(KeyedStateStore store, LongConsumer key) {
    generations = List.of(store.getState(descriptor("even")), store.getState(descriptor("odd")));
    this.key = key;
  }

  private static ValueStateDescriptor<byte[]> descriptor(String walks) {
    return new ValueStateDescriptor<>("rows-" + walks, BytePrimitiveArraySerializer.INSTANCE);
  }

  @Override
  public void put(int generation, long number, byte[] chunk) throws IOException {
    key.accept(number);
    generations.get(generation).update(chunk);
  }

  @Override
  public byte[] get(int generation, long number) throws IOException {
    key.accept(number);
    byte[] chunk = generations.get(generation).value();
    if (chunk == null) {
      throw new IOException(
          "the state has no chunk %d of rows in generation %d".formatted(number, generation));
    }
    return chunk;
  }

  @Override
  public void remove(int generation, long number) {
    key.accept(number);
    generations.get(generation).clear();
  }
}
