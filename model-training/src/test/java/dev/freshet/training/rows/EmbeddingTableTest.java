package dev.freshet.training.rows;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.codec.Bytes;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.RowOptimizers;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.core.pipeline.TrainingSettings;
import dev.freshet.core.rows.KeyMap;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.Arrays;
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

  private static final TrainingSettings.Embeddings ROWS =
      new TrainingSettings.Embeddings(RowOptimizers.ADAGRAD, 0.1, 1e-9, 0, null, 0.3);

  /** Both fields admit at the second sighting; field 0 forgets after ten days. */
  private static EmbeddingTable table() {
    Pipeline pipeline =
        TestingPipelines.shop(
            "{name: user, kind: categorical, dim: 8, admit-after: 1}",
            "{name: user, kind: categorical, dim: 8, admit-after: 2, expire-after: 10d}");
    return EmbeddingTable.of(pipeline.context(pipeline.model("main")), ROWS).get(1);
  }

  private static float[] row(EmbeddingTable table, int row) {
    FloatBuffer into = FloatBuffer.allocate(table.width());
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
  void aLookFindsRowsOfOnesOwnAndIsNoSighting() {
    EmbeddingTable table = table();
    table.sight(5, 0, 0);
    int own = table.sight(5, 0, 0);
    table.sight(6, 0, 0);
    int[] found = new int[4];
    table.look(new long[] {6, 5, 7, 8}, 0, 3, found);
    assertThat(found[1]).isEqualTo(own);
    assertThat(found[0]).as("waits for its row").isNegative();
    assertThat(found[2]).as("was never seen").isNegative();
    assertThat(found[3]).as("was not asked for").isZero();
    assertThat(table.sight(6, 0, 0)).as("its second").isNotEqualTo(table.find(7, 0));
  }

  @Test
  void aRowThatIsSeenStaysForAsLongAsOneThatIsSighted() {
    EmbeddingTable table = table();
    table.sight(5, 0, 0);
    table.seen(table.sight(5, 0, 0), 8 * DAY);
    table.sight(6, 0, 0);
    table.sight(6, 0, 0);
    assertThat(table.expire(12 * DAY)).as("the other").isEqualTo(1);
    assertThat(table.find(5, 0)).isNotEqualTo(table.find(6, 0));
  }

  @Test
  void adagradMovesTouchedRowsByHand() {
    EmbeddingTable table = table();
    table.sight(7, 1, 0);
    int row = table.sight(7, 1, 0);
    float[] before = row(table, row);
    float[] gradient = new float[] {0.5f, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    table.update(row, gradient, 0, 4, 1, 1);
    // Of four examples the sum is 2, its mean square 4 / 8; step 0.1 * 2 / sqrt(0.5).
    assertThat(before[0] - row(table, row)[0]).isCloseTo(0.28284f, within(1e-4f));
    assertThat(row(table, row)[1]).isEqualTo(before[1]);
    table.update(row, gradient, 0, 4, 1, 1);
    // Accumulator 1.0 now: a step of 0.2.
    assertThat(before[0] - row(table, row)[0]).isCloseTo(0.48284f, within(1e-4f));
  }

  @Test
  void firstOrderWeightsMoveOneByOneByHand() {
    EmbeddingTable table = table();
    int row = table.sight(7, 1, 0);
    row = table.sight(7, 1, 0);
    float[] before = row(table, row);
    assertThat(before[8]).isZero();
    float[] gradient = new float[] {0, 0, 0, 0, 0, 0, 0, 0, 0.5f, 0};
    table.update(row, gradient, 0, 4, 0.5f, 1);
    // At half its pace, and a sum of 2: 0.5 * 0.3 * 2 / (1 + sqrt(4)).
    assertThat(row(table, row)[8]).isCloseTo(-0.1f, within(1e-4f));
    assertThat(row(table, row)[9]).isZero();
    assertThat(Arrays.copyOf(row(table, row), 8))
        .as("its embedding")
        .isEqualTo(Arrays.copyOf(before, 8));
  }

  /** A rate that is raised later finds accumulators of nothing. */
  @Test
  void withoutARateFirstOrderWeightsLeaveNoTrace() throws IOException {
    var still = new TrainingSettings.Embeddings(RowOptimizers.ADAGRAD, 0.1, 1e-9, 0, null, 0.0);
    Pipeline pipeline = TestingPipelines.shop();
    EmbeddingTable table =
        EmbeddingTable.of(pipeline.context(pipeline.model("main")), still).get(1);
    byte[] before = bytes(table);
    float[] gradient = new float[] {0, 0, 0, 0, 0, 0, 0, 0, 0.5f, 1};
    table.update(table.find(7, 1), gradient, 0, 4, 1, 1);
    assertThat(bytes(table)).isEqualTo(before);
  }

  @Test
  void aTableOfBeforeFirstOrderWeightsGoesOnWithNone() throws IOException {
    ByteArrayOutputStream old = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(old);
    out.writeByte(1);
    Bytes.writeCount(out, 8);
    out.writeInt(1);
    out.writeInt(0);
    out.writeInt(0);
    out.writeLong(5);
    out.writeLong(DAY);
    Bytes.writeCount(out, 1);
    out.writeFloat(0.25f);
    for (int i = 0; i < 8; i++) {
      out.writeFloat(i);
    }
    out.writeInt(0);
    EmbeddingTable table = table();
    table.restore(new DataInputStream(new ByteArrayInputStream(old.toByteArray())), 2);
    int row = table.find(5, 1);
    assertThat(row(table, row)).containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 0, 0);
    table.update(row, new float[] {1, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 0, 2, 1, 1);
    // Means over two examples were added up, so 1 in sums; with this one 1 + 4 / 8.
    assertThat(row(table, row)[0]).isCloseTo(-0.1f * 2 / (float) Math.sqrt(1.5), within(1e-5f));
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
    EmbeddingTable table = EmbeddingTable.of(pipeline.context(pipeline.model("main")), ROWS).get(1);
    assertThat(table.size()).as("user's and item's unknown ones").isEqualTo(2);
    assertThat(table.find(7, 1)).isEqualTo(table.find(7, 2)).isNotEqualTo(table.find(7, 0));
    table.sight(7, 1, 0);
    int row = table.sight(7, 2, 0);
    assertThat(table.find(7, 1)).isEqualTo(row);
    assertThat(table.isUnknown(row, 1) || table.isUnknown(row, 2)).isFalse();
    EmbeddingTable copy = EmbeddingTable.of(pipeline.context(pipeline.model("main")), ROWS).get(1);
    copy.restore(new DataInputStream(new ByteArrayInputStream(bytes(table))), 1);
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
    EmbeddingTable table = EmbeddingTable.of(pipeline.context(pipeline.model("main")), ROWS).get(0);
    table.sight(7, 298, 0);
    table.sight(8, 299, 0);
    EmbeddingTable copy = EmbeddingTable.of(pipeline.context(pipeline.model("main")), ROWS).get(0);
    copy.restore(new DataInputStream(new ByteArrayInputStream(bytes(table))), 1);
    assertThat(bytes(copy)).isEqualTo(bytes(table));
    assertThat(copy.expire(11 * DAY)).isEqualTo(1);
    assertThat(copy.isUnknown(copy.find(8, 299), 299)).isTrue();
    assertThat(copy.isUnknown(copy.find(7, 298), 298)).isFalse();
  }

  private static void touch(EmbeddingTable table, int key, int time) {
    int row = table.sight(1 + Math.floorMod(key, 20), key & 1, time * DAY);
    table.update(row, new float[] {1, key % 3, 0, 0, 0, 0, 0, 1, key % 2, 1}, 0, 3, 1, 1);
    table.expire(time * DAY);
  }

  private static EmbeddingTable copy(EmbeddingTable table) throws IOException {
    EmbeddingTable copy = table();
    copy.restore(new DataInputStream(new ByteArrayInputStream(bytes(table))), 1);
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
