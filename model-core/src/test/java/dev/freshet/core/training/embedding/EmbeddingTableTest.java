package dev.freshet.core.training.embedding;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class EmbeddingTableTest {

  private static final long DAY = 24 * 60 * 60 * 1000L;

  /** Both fields admit at the second sighting; field 0 forgets after ten days. */
  private static EmbeddingTable table() {
    Pipeline pipeline =
        TestingPipelines.shop(
            "{name: user, kind: categorical, dim: 8, admit-after: 1}",
            "{name: user, kind: categorical, dim: 8, admit-after: 2, expire-after: 10d}");
    return pipeline.context(pipeline.model("main")).tables(0.1).get(1);
  }

  private static float[] row(EmbeddingTable table, int row) {
    FloatBuffer into = FloatBuffer.allocate(8);
    table.read(row, into);
    return into.array();
  }

  @Test
  void aRareValueSharesTheUnknownRowUntilItIsAdmittedAndStartsAsItsCopy() {
    EmbeddingTable table = table();
    int unknown = table.find(5, 0);
    assertThat(table.sight(5, 0, 0)).isEqualTo(unknown);
    int own = table.sight(5, 0, 0);
    assertThat(own).isNotEqualTo(unknown);
    assertThat(row(table, own)).isEqualTo(row(table, unknown));
    assertThat(table.find(5, 0)).isEqualTo(own);
    assertThat(table.find(6, 0)).isEqualTo(unknown);
  }

  @Test
  void adagradMovesTouchedRowsByHand() {
    EmbeddingTable table = table();
    table.sight(7, 1, 0);
    int row = table.sight(7, 1, 0);
    float[] before = row(table, row);
    FloatBuffer gradient = FloatBuffer.wrap(new float[] {2, 0, 0, 0, 0, 0, 0, 0});
    table.update(row, gradient, 0);
    // Mean square 4 / 8; step 0.1 * 2 / sqrt(0.5).
    assertThat(before[0] - row(table, row)[0]).isCloseTo(0.28284f, within(1e-4f));
    assertThat(row(table, row)[1]).isEqualTo(before[1]);
    table.update(row, gradient, 0);
    // Accumulator 1.0 now: a step of 0.2.
    assertThat(before[0] - row(table, row)[0]).isCloseTo(0.48284f, within(1e-4f));
  }

  private static Offset<Float> within(float offset) {
    return Offset.offset(offset);
  }

  @Test
  void expiryFollowsEventTimeAndFreesTheRow() {
    EmbeddingTable table = table();
    table.sight(5, 0, 0);
    table.sight(5, 0, 0);
    table.sight(9, 1, 0);
    table.sight(9, 1, 0);
    int size = table.size();
    assertThat(table.expire(9 * DAY)).isZero();
    assertThat(table.expire(11 * DAY)).isEqualTo(1);
    assertThat(table.size()).isEqualTo(size - 1);
    assertThat(table.find(5, 0)).as("unknown again").isEqualTo(table.find(6, 0));
    assertThat(table.find(9, 1)).as("this field does not forget").isNotEqualTo(table.find(6, 1));
  }

  @Property(tries = 200)
  void restoredTablesGoOnAsIfTheyHadNeverStopped(
      @ForAll @Size(max = 200) int[] keys, @ForAll @IntRange(min = 0, max = 200) int stop)
      throws IOException {
    EmbeddingTable straight = table();
    EmbeddingTable stopped = table();
    for (int i = 0; i < keys.length; i++) {
      if (i == stop) {
        stopped = copy(stopped);
      }
      touch(straight, keys[i], i);
      touch(stopped, keys[i], i);
    }
    assertThat(bytes(stopped)).isEqualTo(bytes(straight));
  }

  /** What was seen under one field is known under the other, and unknown ones are the same. */
  @Test
  void fieldsThatUseAnothersRowsHaveThemInCommon() throws IOException {
    String item = "{name: item, kind: categorical, dim: 8, admit-after: 2}";
    Pipeline pipeline =
        TestingPipelines.shop(
            item, item + "\n  - {name: seen, kind: categorical, many: true, rows-of: item}");
    EmbeddingTable table = pipeline.context(pipeline.model("main")).tables(0.1).get(1);
    assertThat(table.size()).as("user's and item's unknown ones").isEqualTo(2);
    assertThat(table.find(7, 1)).isEqualTo(table.find(7, 2)).isNotEqualTo(table.find(7, 0));
    table.sight(7, 1, 0);
    int row = table.sight(7, 2, 0);
    assertThat(table.find(7, 1)).isEqualTo(row);
    assertThat(table.isUnknown(row, 1) || table.isUnknown(row, 2)).isFalse();
    EmbeddingTable copy = pipeline.context(pipeline.model("main")).tables(0.1).get(1);
    copy.restore(new DataInputStream(new ByteArrayInputStream(bytes(table))));
    assertThat(copy.find(8, 2)).isEqualTo(copy.find(8, 1));
    assertThat(copy.find(7, 2)).isEqualTo(row);
  }

  /** All pairs of twenty fields are more than a byte tells apart. */
  @Test
  void rowsOfHundredsOfFieldsAreKeptAndExpireWithTheirOwn() throws IOException {
    StringBuilder fields = new StringBuilder("features:\n");
    for (int i = 0; i < 300; i++) {
      String expiry = i == 299 ? ", expire-after: 10d" : "";
      fields.append(
          "  - {name: f%d, kind: categorical, dim: 2, admit-after: 1%s}%n".formatted(i, expiry));
    }
    Pipeline pipeline = TestingPipelines.shop("features:\n", fields.toString());
    EmbeddingTable table = pipeline.context(pipeline.model("main")).tables(0.1).get(0);
    table.sight(7, 298, 0);
    table.sight(8, 299, 0);
    EmbeddingTable copy = pipeline.context(pipeline.model("main")).tables(0.1).get(0);
    copy.restore(new DataInputStream(new ByteArrayInputStream(bytes(table))));
    assertThat(bytes(copy)).isEqualTo(bytes(table));
    assertThat(copy.expire(11 * DAY)).isEqualTo(1);
    assertThat(copy.isUnknown(copy.find(8, 299), 299)).isTrue();
    assertThat(copy.isUnknown(copy.find(7, 298), 298)).isFalse();
  }

  private static void touch(EmbeddingTable table, int key, int time) {
    int row = table.sight(1 + Math.floorMod(key, 20), key & 1, time * DAY);
    table.update(row, FloatBuffer.wrap(new float[] {1, key % 3, 0, 0, 0, 0, 0, 1}), 0);
    table.expire(time * DAY);
  }

  private static EmbeddingTable copy(EmbeddingTable table) throws IOException {
    EmbeddingTable copy = table();
    copy.restore(new DataInputStream(new ByteArrayInputStream(bytes(table))));
    return copy;
  }

  private static byte[] bytes(EmbeddingTable table) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    table.write(new DataOutputStream(out));
    return out.toByteArray();
  }

  @Property(tries = 300)
  void keyMapIsAMap(@ForAll @Size(max = 400) int[] operations) {
    KeyMap map = new KeyMap();
    Map<Long, Integer> expected = new HashMap<>();
    for (int operation : operations) {
      // Few distinct keys with few distinct homes, so that probes meet.
      long key = (1 + Math.floorMod(operation, 40)) * 0x1000000000000L;
      if (operation % 3 == 0) {
        map.remove(key);
        expected.remove(key);
      } else {
        map.put(key, operation);
        expected.put(key, operation);
      }
    }
    Map<Long, Integer> found = new HashMap<>();
    map.each(found::put);
    assertThat(found).isEqualTo(expected);
    assertThat(map.size()).isEqualTo(expected.size());
    expected.forEach((key, value) -> assertThat(map.get(key)).isEqualTo(value));
  }
}
