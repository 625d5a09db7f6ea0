package dev.freshet.training.rows;

import java.io.IOException;
import java.util.Arrays;
import java.util.TreeMap;

/** Chunks in memory, and how many bytes were put. */
final class TestingRowStore implements RowLog.Store {

  private final TreeMap<String, byte[]> chunks;
  long put;

  TestingRowStore() {
    this(new TreeMap<>());
  }

  private TestingRowStore(TreeMap<String, byte[]> chunks) {
    this.chunks = chunks;
  }

  /** As it is now, as a checkpoint has it. */
  TestingRowStore copy() {
    return new TestingRowStore(new TreeMap<>(chunks));
  }

  long size() {
    return chunks.values().stream().mapToLong(chunk -> chunk.length).sum();
  }

  @Override
  public void put(int generation, long number, byte[] chunk) {
    put += chunk.length;
    chunks.put(generation + " " + number, chunk.clone());
  }

  @Override
  public byte[] get(int generation, long number) throws IOException {
    byte[] chunk = chunks.get(generation + " " + number);
    if (chunk == null) {
      throw new IOException("no chunk %d of generation %d".formatted(number, generation));
    }
    return Arrays.copyOf(chunk, chunk.length);
  }

  @Override
  public void remove(int generation, long number) throws IOException {
    if (chunks.remove(generation + " " + number) == null) {
      throw new IOException("no chunk %d of generation %d".formatted(number, generation));
    }
  }
}
