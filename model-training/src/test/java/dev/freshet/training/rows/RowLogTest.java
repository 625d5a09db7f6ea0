package dev.freshet.training.rows;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.freshet.core.codec.LayoutTooNewException;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.RowOptimizers;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.core.pipeline.TrainingSettings;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class RowLogTest {

  private static final long DAY = 24 * 60 * 60 * 1000L;

  /** Users wait for their second sighting and are forgotten after ten days. */
  private static final Pipeline PIPELINE =
      TestingPipelines.shop(
          "{name: user, kind: categorical, dim: 8, admit-after: 1}",
          "{name: user, kind: categorical, dim: 8, admit-after: 2, expire-after: 10d}");

  private static List<EmbeddingTable> tables(RowOptimizers optimizer) {
    return EmbeddingTable.of(
        PIPELINE.context(PIPELINE.model("main")),
        new TrainingSettings.Embeddings(optimizer, 0.1, 1e-9, 0, null, 0.3));
  }

  private static List<EmbeddingTable> tables() {
    return tables(RowOptimizers.FTRL);
  }

  /**
   * More rows than a save writes anyway, keys that wait, rows that go and come back; a save now and
   * then, and now and then all begins again with what was saved.
   */
  @Property(tries = 12)
  void restoredTablesAreThoseThatWereSaved(
      @ForAll long seed, @ForAll @IntRange(min = 1, max = 40) int keys) throws IOException {
    SplittableRandom random = new SplittableRandom(seed);
    List<EmbeddingTable> straight = tables();
    List<EmbeddingTable> tables = tables();
    RowLog log = new RowLog(tables);
    TestingRowStore store = new TestingRowStore();
    for (int save = 0; save < 40; save++) {
      int touches = random.nextInt(5) == 0 ? 0 : random.nextInt(save == 3 ? 9000 : 700);
      for (int i = 0; i < touches; i++) {
        long key = 1 + random.nextInt(keys * 1000) * 0x10001L;
        int field = random.nextInt(2);
        long time = (save + random.nextInt(5)) * DAY;
        int pace = random.nextInt(1, 4);
        touch(straight, key, field, time, pace);
        touch(tables, key, field, time, pace);
      }
      if (random.nextInt(3) == 0) {
        straight.get(1).expire(save * DAY);
        tables.get(1).expire(save * DAY);
      }
      log.save(store);
      if (random.nextInt(4) == 0) {
        byte[] heads = heads(tables);
        tables = tables();
        restoreHeads(tables, heads);
        byte[] position = log.position();
        log = new RowLog(tables);
        assertThat(log.awaited()).isTrue();
        log.restore(position, store);
        assertThat(log.awaited()).isFalse();
        assertThat(bytes(tables)).isEqualTo(bytes(straight));
      }
    }
    assertThat(bytes(tables)).isEqualTo(bytes(straight));
  }

  private static void touch(List<EmbeddingTable> tables, long key, int field, long time, int by) {
    EmbeddingTable table = tables.get(1);
    int row = table.sight(key, field, time);
    table.update(row, new float[] {1, by, 0, 0, 0, 0, 0, 1, by, 1}, 0, 3, 1, 1);
  }

  @Test
  void writesWhatChangedAndNothingIfNothingDid() throws IOException {
    List<EmbeddingTable> tables = tables();
    for (int key = 1; key <= 100_000; key++) {
      tables.get(1).sight(key, 0, 0);
      if (key % 2 == 0) {
        tables.get(1).sight(key, 0, 0);
      }
    }
    RowLog log = new RowLog(tables);
    TestingRowStore store = new TestingRowStore();
    log.save(store);
    long whole = store.put;
    assertThat(whole).as("50,000 rows and as many keys").isGreaterThan(50_000 * (100 + 12));
    byte[] position = log.position();
    log.save(store);
    assertThat(store.put).isEqualTo(whole);
    assertThat(log.position()).isEqualTo(position);

    SplittableRandom random = new SplittableRandom(1);
    long most = 0;
    long largest = 0;
    for (int save = 0; save < 200; save++) {
      long before = store.put;
      for (int i = 0; i < 200; i++) {
        tables.get(1).sight(2 + 2 * random.nextInt(50_000), 0, save);
      }
      log.save(store);
      most = Math.max(most, store.put - before);
      largest = Math.max(largest, store.size());
    }
    assertThat(most).as("the fewest rows at once").isLessThan(whole / 10);
    assertThat(largest).as("what the log holds").isLessThan(whole * 5 / 3);
  }

  /** Where waiting keys lie changes with a table's growth, in the middle of a walk. */
  @Test
  void aTableThatGrowsKeepsItsWaitingKeys() throws IOException {
    List<EmbeddingTable> tables = tables();
    RowLog log = new RowLog(tables);
    TestingRowStore store = new TestingRowStore();
    for (int key = 1; key <= 230_000; key++) {
      tables.get(1).sight(key * 31L, 0, 0);
      if (key % 1000 == 0 && key > 150_000) {
        log.save(store);
      }
      if (key % 4000 == 0 && key > 150_000) {
        assertRestored(tables(), tables, log.position(), store);
      }
    }
  }

  @Test
  void anotherOptimizerKeepsTheRowsAndWritesThemAnew() throws IOException {
    List<EmbeddingTable> before = tables();
    for (int key = 1; key < 9000; key++) {
      touch(before, key, 1, 0, 1);
    }
    RowLog log = new RowLog(before);
    TestingRowStore store = new TestingRowStore();
    log.save(store);
    List<EmbeddingTable> now = tables(RowOptimizers.ADAGRAD);
    restoreHeads(now, heads(before));
    RowLog anew = new RowLog(now);
    anew.restore(log.position(), store);
    List<EmbeddingTable> whole = tables(RowOptimizers.ADAGRAD);
    restore(whole, bytes(before));
    assertThat(bytes(now)).isEqualTo(bytes(whole));
    anew.save(store);
    assertRestored(tables(RowOptimizers.ADAGRAD), now, anew.position(), store);
  }

  /** Tables that the checkpoint did not have yet, as those of delay heads that begin. */
  @Test
  void moreTablesMayComeAtTheEnd() throws IOException {
    List<EmbeddingTable> before = tables();
    touch(before, 7, 1, 0, 1);
    RowLog log = new RowLog(before.subList(0, 2));
    TestingRowStore store = new TestingRowStore();
    log.save(store);
    List<EmbeddingTable> now = tables();
    restoreHeads(now.subList(0, 2), heads(before.subList(0, 2)));
    RowLog more = new RowLog(now);
    more.restore(log.position(), store);
    assertThat(bytes(now.subList(0, 2))).isEqualTo(bytes(before.subList(0, 2)));
    touch(now, 8, 1, 0, 1);
    more.save(store);
    assertRestored(tables(), now, more.position(), store);
  }

  @Test
  void saysWhatIsMissing() throws IOException {
    List<EmbeddingTable> tables = tables();
    RowLog log = new RowLog(tables);
    TestingRowStore store = new TestingRowStore();
    log.save(store);
    byte[] heads = heads(tables);
    touch(tables, 7, 1, 0, 1);
    touch(tables, 7, 1, 0, 1);
    byte[] more = heads(tables);
    List<EmbeddingTable> restored = tables();
    restoreHeads(restored, more);
    assertThatThrownBy(() -> new RowLog(restored).restore(log.position(), store))
        .isExactlyInstanceOf(IOException.class)
        .hasMessageContaining("of its");
    List<EmbeddingTable> others = tables();
    restoreHeads(others, heads);
    store.put(0, 0, new byte[] {1, 2, 3});
    assertThatThrownBy(() -> new RowLog(others).restore(log.position(), store))
        .hasMessage("these bytes are no freshet.row-chunk");
  }

  /** The newest bytes of chunk and position. To write them: {@code -Dgolden.write=true}. */
  @Test
  void readsTheFrozenLog() throws IOException {
    Path chunk = Path.of("src/test/resources/golden/row-chunk-1.bin");
    Path position = Path.of("src/test/resources/golden/row-log-1.bin");
    List<EmbeddingTable> tables = tables();
    touch(tables, 5, 0, 0, 1);
    touch(tables, 6, 0, DAY, 1);
    touch(tables, 6, 0, DAY, 2);
    touch(tables, 7, 0, 15 * DAY, 1);
    touch(tables, 8, 1, 15 * DAY, 1);
    tables.get(1).expire(12 * DAY);
    RowLog log = new RowLog(tables);
    TestingRowStore store = new TestingRowStore();
    log.save(store);
    if (Boolean.getBoolean("golden.write")) {
      Files.write(chunk, store.get(0, 0));
      Files.write(position, log.position());
    }
    assertThat(store.get(0, 0)).isEqualTo(Files.readAllBytes(chunk));
    assertThat(log.position()).isEqualTo(Files.readAllBytes(position));
    TestingRowStore frozen = new TestingRowStore();
    frozen.put(0, 0, Files.readAllBytes(chunk));
    assertRestored(tables(), tables, Files.readAllBytes(position), frozen);

    byte[] newer = Files.readAllBytes(chunk);
    newer[4 + 1 + "freshet.row-chunk".length()] = 2;
    frozen.put(0, 0, newer);
    List<EmbeddingTable> others = tables();
    restoreHeads(others, heads(tables));
    assertThatThrownBy(() -> new RowLog(others).restore(log.position(), frozen))
        .isInstanceOf(LayoutTooNewException.class);
  }

  /**
   * What was saved, and the heads of the tables that it was saved of, make new ones equal to these.
   */
  private static void assertRestored(
      List<EmbeddingTable> anew, List<EmbeddingTable> saved, byte[] position, RowLog.Store store)
      throws IOException {
    restoreHeads(anew, heads(saved));
    new RowLog(anew).restore(position, store);
    assertThat(bytes(anew)).isEqualTo(bytes(saved));
  }

  private static byte[] heads(List<EmbeddingTable> tables) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (EmbeddingTable table : tables) {
      table.writeHead(new DataOutputStream(out));
    }
    return out.toByteArray();
  }

  private static void restoreHeads(List<EmbeddingTable> tables, byte[] heads) throws IOException {
    DataInputStream in = new DataInputStream(new ByteArrayInputStream(heads));
    for (EmbeddingTable table : tables) {
      table.restoreHead(in);
    }
  }

  private static byte[] bytes(List<EmbeddingTable> tables) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (EmbeddingTable table : tables) {
      table.write(new DataOutputStream(out));
    }
    return out.toByteArray();
  }

  private static void restore(List<EmbeddingTable> tables, byte[] bytes) throws IOException {
    DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes));
    for (EmbeddingTable table : tables) {
      table.restore(in, 1);
    }
  }
}
