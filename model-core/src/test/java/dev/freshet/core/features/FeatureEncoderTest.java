package dev.freshet.core.features;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.dynatrace.hash4j.hashing.Hashing;
import dev.freshet.core.events.CompactFeatures;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.RawFeatures;
import dev.freshet.core.pipeline.TestingPipelines;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.FloatRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class FeatureEncoderTest {

  private static final FeatureSchema SCHEMA = TestingPipelines.shop().schema();

  /** Crosses before, between and behind the fields that are sent. */
  private static final FeatureSchema CROSSED = crossed("[user, tags, price]", "{kind: pairs}");

  private static FeatureSchema crossed(String of, String crosses) {
    String price = "edges: [1, 10, 100]}";
    return TestingPipelines.shop(
            price,
            price
                + "\n  - {name: three, kind: cross, of: "
                + of
                + ", dim: 6}\n  - {name: two, kind: cross, of: [user, item], dim: 9}\n"
                + "crosses: "
                + crosses)
        .schema();
  }

  /** Keys of a field. */
  private static long[] of(FeatureSchema schema, String field, Impression impression) {
    int[] starts = new int[schema.fields().size() + 1];
    long[] keys = keys(new FeatureEncoder(schema), impression, starts);
    int at = schema.fields().stream().map(FeatureField::name).toList().indexOf(field);
    return Arrays.copyOfRange(keys, starts[at], starts[at + 1]);
  }

  private static long[] keys(FeatureEncoder encoder, Impression impression, int[] starts) {
    return encoder.keys(impression.features(), impression.eventTime(), starts);
  }

  private static Impression compact(FeatureSchema schema, Impression impression) {
    return impression.withFeatures(new FeatureEncoder(schema).compact(impression.features()));
  }

  private static Impression shown(List<String> tags, String user, String item, double price) {
    String[][] categories = {tags.toArray(new String[0]), {user}, {item}};
    return impression(categories, price);
  }

  private static Impression impression(String[][] categories, double number) {
    return new Impression("i", 1, new RawFeatures(categories, new double[] {number}), null);
  }

  @Property(tries = 2000)
  void compactFeaturesHaveTheSameKeys(
      @ForAll @Size(max = 4) List<String> tags,
      @ForAll @Size(max = 2) List<String> users,
      @ForAll @Size(max = 2) List<String> items,
      @ForAll double number) {
    String[][] categories = {
      tags.toArray(new String[0]), users.toArray(new String[0]), items.toArray(new String[0])
    };
    for (FeatureSchema schema : List.of(SCHEMA, CROSSED)) {
      FeatureEncoder encoder = new FeatureEncoder(schema);
      Impression raw = impression(categories, number);
      int[] expected = new int[schema.fields().size() + 1];
      int[] starts = new int[schema.fields().size() + 1];
      long[] keys = keys(encoder, raw, expected);
      // Made by one encoder, read by another, as by two tasks; one knows of no crosses.
      Impression compact = compact(SCHEMA, raw);
      assertThat(keys(encoder, compact, starts)).containsExactly(keys);
      assertThat(starts).containsExactly(expected);
      assertThat(keys.length).isEqualTo(expected[schema.fields().size()]);
    }
  }

  /** User, tags with weights, and a cross of them; each field's weights add up to 1. */
  @Property(tries = 500)
  void compactFeaturesHaveTheSameWeights(
      @ForAll @Size(max = 40) List<@FloatRange(min = 0.01f, max = 1e6f) Float> sent) {
    FeatureSchema schema =
        TestingPipelines.shop("dim: 4, many: true", "dim: 4, many: true, weighted: true").schema();
    FeatureSchema crossed =
        TestingPipelines.shop(
                "dim: 4, many: true}",
                "dim: 4, many: true, weighted: true}\n"
                    + "  - {name: both, kind: cross, of: [tags, user], dim: 5}")
            .schema();
    String[] tags = IntStream.range(0, sent.size()).mapToObj(i -> "t" + i).toArray(String[]::new);
    float[] weights = new float[sent.size()];
    double sum = 0;
    for (int i = 0; i < weights.length; i++) {
      weights[i] = sent.get(i);
      sum += weights[i];
    }
    RawFeatures features =
        new RawFeatures(
            new String[][] {tags, {"u"}, {"i"}}, new double[] {5}, new float[][] {weights, {}, {}});
    Impression raw = new Impression("i", 1, features, null);
    for (FeatureSchema of : List.of(schema, crossed)) {
      ExampleEncoder encoder = new ExampleEncoder(of);
      EncodedExample expected = encoder.encode(raw);
      Impression compact = compact(schema, raw);
      assertThat(encoder.encode(compact)).usingRecursiveComparison().isEqualTo(expected);
      for (int field = 0; field < of.fields().size(); field++) {
        String name = of.fields().get(field).name();
        int from = expected.starts()[field];
        for (int i = from; i < expected.starts()[field + 1]; i++) {
          boolean weighted = weights.length > 0 && (name.equals("tags") || name.equals("both"));
          double share = weighted ? weights[i - from] / sum : 1;
          assertThat((double) expected.weights()[i]).as(name).isCloseTo(share, within(1e-6));
        }
      }
    }
    EncodedExample plain = new ExampleEncoder(SCHEMA).encode(shown(List.of("a"), "u", "i", 1));
    assertThat(plain.weights()).as("where no field has weights").isEmpty();
  }

  /** Numbers that models read come through as they are, -0 as 0; crosses wait for their keys. */
  @Property(tries = 500)
  void compactFeaturesHaveTheSameNumbers(
      @ForAll double price, @ForAll @Size(value = 3) float[] image, @ForAll boolean there) {
    double finite = Double.isFinite(price) ? price : Double.NaN;
    boolean shown = there;
    for (float number : image) {
      shown &= Float.isFinite(number);
    }
    FeatureSchema schema =
        TestingPipelines.shop(
                "edges: [1, 10, 100]}",
                "as: value}\n  - {name: image, kind: vector, size: 3, dim: 9}\n"
                    + "  - {name: two, kind: cross, of: [user, item], dim: 2}")
            .schema();
    RawFeatures features =
        new RawFeatures(
            new String[][] {{"t"}, {"u"}, {"i"}},
            new double[] {finite},
            new float[][] {{}, {}, {}, shown ? image : new float[0]});
    Impression raw = new Impression("i", 1, features, null);
    ExampleEncoder encoder = new ExampleEncoder(schema);
    EncodedExample expected = encoder.encode(raw);
    Impression compact = compact(schema, raw);
    assertThat(encoder.encode(compact)).usingRecursiveComparison().isEqualTo(expected);
    assertThat(expected.weights()).isEmpty();
    long key = of(schema, "price", raw)[0];
    if (Double.isNaN(finite)) {
      assertThat(key).isEqualTo(FeatureEncoder.absentKey(field(schema, "price")));
    } else {
      assertThat(Double.longBitsToDouble(key)).isEqualTo(finite + 0.0);
    }
    assertThat(of(schema, "image", raw)).hasSize(shown ? 3 : 1);
    assertThat(of(schema, "two", raw)).isEmpty();
  }

  @Test
  void aCrossHasAKeyForEachCombination() {
    Impression one = shown(List.of("a", "b", "c"), "u", "i", 5);
    assertThat(of(CROSSED, "two", one)).hasSize(1);
    assertThat(of(CROSSED, "three", one)).hasSize(3).doesNotHaveDuplicates();
    assertThat(of(CROSSED, "three", shown(List.of("c", "d"), "u", "x", 9)))
        .as("a number's bucket is what counts, and c is there again")
        .hasSize(2)
        .containsAnyOf(of(CROSSED, "three", one));
    assertThat(of(CROSSED, "three", shown(List.of("a"), "u", "i", 50)))
        .doesNotContain(of(CROSSED, "three", one));
    // Values change places, and fields of the same values, but not what they mean.
    assertThat(of(CROSSED, "two", shown(List.of(), "i", "u", 1)))
        .doesNotContain(of(CROSSED, "two", one));
    assertThat(of(CROSSED, "item*tags", shown(List.of("v"), "u", "v", 1)))
        .doesNotContain(of(CROSSED, "tags*user", shown(List.of("v"), "v", "i", 1)));
    FeatureSchema turned = crossed("[price, user, tags]", "{kind: pairs, of: [price, tags]}");
    assertThat(of(turned, "three", one)).containsExactly(of(CROSSED, "three", one));
  }

  /** As any reader in another language makes them: docs/snapshot-format.md. */
  @Test
  void theKeyOfACrossIsTheHashOfItsFieldsKeys() {
    Impression one = shown(List.of("a", "b"), "u", "i", 5);
    long seed = Hashing.xxh3_64().hashCharsToLong("three");
    ByteBuffer first = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
    first.putLong(of(CROSSED, "price", one)[0]).putLong(of(CROSSED, "tags", one)[1]);
    ByteBuffer second = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
    second.putLong(Hashing.xxh3_64(seed).hashBytesToLong(first.array()));
    second.putLong(of(CROSSED, "user", one)[0]);
    assertThat(of(CROSSED, "three", one)[1])
        .isEqualTo(Hashing.xxh3_64(seed).hashBytesToLong(second.array()));
  }

  @Test
  void aCrossIsAbsentWhereOneOfItsFieldsIs() {
    long absent = FeatureEncoder.absentKey(field(CROSSED, "two"));
    String[][] noItem = {{}, {"u"}, {}};
    String[][] none = {{}, {}, {}};
    assertThat(of(CROSSED, "two", impression(noItem, 5))).containsExactly(absent);
    assertThat(of(CROSSED, "two", impression(none, 5))).containsExactly(absent);
    assertThat(of(CROSSED, "two", shown(List.of(), "u", "i", 5))).doesNotContain(absent);
  }

  @Test
  void aPartOfTheTimeIsAFieldThatNobodySends() {
    String price = "edges: [1, 10, 100]}";
    FeatureSchema timed =
        TestingPipelines.shop(
                price,
                price
                    + "\n  - {name: hour, kind: time, part: hour, zone: Asia/Kolkata, dim: 4}"
                    + "\n  - {name: weekday, kind: time, part: weekday, zone: '+02:00'}"
                    + "\n  - {name: month, kind: time, part: month, dim: 2}"
                    + "\n  - {name: day, kind: time, part: day, zone: America/New_York}"
                    + "\n  - {name: when, kind: cross, of: [hour, user]}")
            .schema();
    // A Wednesday's last half hour in UTC, 31 December.
    long time = Instant.parse("2025-12-31T23:31:00Z").toEpochMilli();
    Impression shown = shown(List.of("a"), "u", "i", 5);
    Impression then = new Impression("i", time, shown.features(), null);
    Map<String, String> expected = Map.of("hour", "5", "weekday", "4", "month", "12", "day", "31");
    expected.forEach(
        (field, value) -> {
          long seed = Hashing.xxh3_64().hashCharsToLong(field);
          assertThat(of(timed, field, then))
              .as(field)
              .containsExactly(Hashing.xxh3_64(seed).hashCharsToLong(value));
        });
    Impression later = new Impression("i", time + 3_600_000, shown.features(), null);
    assertThat(of(timed, "when", then)).doesNotContain(of(timed, "when", later));
    // What waits was made compact without them, and takes no more bytes with them.
    Impression waiting = compact(SCHEMA, then);
    assertThat(compact(timed, then)).isEqualTo(waiting);
    for (String field : List.of("hour", "weekday", "month", "day", "when", "price", "item")) {
      assertThat(of(timed, field, waiting)).as(field).containsExactly(of(timed, field, then));
    }
    assertThat(timed.described())
        .contains(
            "hour: time, dim 4, hour in Asia/Kolkata", "weekday: time, dim 8, weekday in +02:00");
    assertThat(timed.sent()).isEqualTo(SCHEMA.sent());
  }

  @Test
  void valuesOfAFieldWithAnothersRowsHaveItsKeys() {
    String item = "{name: item, kind: categorical, dim: 8, admit-after: 2}";
    FeatureSchema shared =
        TestingPipelines.shop(
                item, item + "\n  - {name: seen, kind: categorical, many: true, rows-of: item}")
            .schema();
    String[][] values = {{}, {"u"}, {"i"}, {"j", "i", "a name of more than eight bytes"}};
    String[][] none = {{}, {"u"}, {"a name of more than eight bytes"}, {}};
    Impression one = impression(values, 5);
    Impression other = impression(none, 5);
    assertThat(of(shared, "seen", one)[1]).isEqualTo(of(shared, "item", one)[0]);
    assertThat(of(shared, "seen", one)[2]).isEqualTo(of(shared, "item", other)[0]);
    assertThat(of(shared, "seen", compact(shared, one))).containsExactly(of(shared, "seen", one));
    FeatureField owner = field(shared, "item");
    FeatureField seen = field(shared, "seen");
    assertThat(FeatureEncoder.unknownKey(seen)).isEqualTo(FeatureEncoder.unknownKey(owner));
    assertThat(of(shared, "seen", other))
        .as("that none was seen is no item's absence")
        .containsExactly(FeatureEncoder.absentKey(seen))
        .doesNotContain(FeatureEncoder.absentKey(owner));
  }

  private static FeatureField field(FeatureSchema schema, String name) {
    return schema.fields().stream().filter(f -> f.name().equals(name)).findAny().orElseThrow();
  }

  @Test
  void longListsAreCrossedAsFarAsTheyGoAndThatIsCounted() {
    List<String> tags = IntStream.range(0, 100).mapToObj(i -> "t" + i).toList();
    FeatureEncoder encoder = new FeatureEncoder(CROSSED);
    int[] starts = new int[CROSSED.fields().size() + 1];
    keys(encoder, shown(tags.subList(0, 64), "u", "i", 5), starts);
    assertThat(encoder.cut()).isZero();
    keys(encoder, shown(tags, "u", "i", 5), starts);
    assertThat(encoder.cut()).as("three, tags*user, item*tags and price*tags").isEqualTo(4);
    Impression all = shown(tags, "u", "i", 5);
    assertThat(of(CROSSED, "item*tags", all))
        .containsExactly(of(CROSSED, "item*tags", shown(tags.subList(0, 64), "u", "i", 5)));
    assertThat(of(CROSSED, "tags", all)).hasSize(100);
    // Two long lists are cut evenly.
    FeatureSchema two =
        TestingPipelines.shop(
                "{name: user, kind: categorical,",
                "{name: both, kind: cross, of: [user, tags]}\n"
                    + "  - {name: user, kind: categorical, many: true,")
            .schema();
    String[][] lists = {tags.toArray(new String[0]), tags.toArray(new String[0]), {}};
    String[][] cut = {
      tags.subList(0, 8).toArray(new String[0]), tags.subList(0, 8).toArray(new String[0]), {}
    };
    assertThat(of(two, "both", impression(lists, 1)))
        .hasSize(64)
        .containsExactly(of(two, "both", impression(cut, 1)));
  }

  @Test
  void whatWaitsIsReadByAPipelineWithMoreCrosses() {
    Impression waiting = compact(SCHEMA, shown(List.of("a", "b"), "u", "i", 5));
    assertThat(of(CROSSED, "three", waiting))
        .containsExactly(of(CROSSED, "three", shown(List.of("a", "b"), "u", "i", 5)));
    assertThat(CROSSED.fingerprint()).isNotEqualTo(SCHEMA.fingerprint());
  }

  @Test
  void longTextTakesNineBytes() {
    String[][] none = {{}, {}, {}};
    String[][] uuid = {{}, {"6f1c2a9e-58a5-4c3b-9a57-0d8a8f6e1b2c"}, {}};
    assertThat(size(compact(SCHEMA, impression(none, Double.NaN)))).isEqualTo(4 + 4);
    assertThat(size(compact(SCHEMA, impression(uuid, Double.NaN)))).isEqualTo(4 + 4 + 9);
    assertThat(size(compact(SCHEMA, impression(none, 50)))).isEqualTo(4 + 4 + 1);
  }

  @Test
  void whatIsAbsentHasAKeyThatNothingSentHas() {
    FeatureEncoder encoder = new FeatureEncoder(SCHEMA);
    String[][] none = {{}, {}, {}};
    int[] starts = new int[SCHEMA.fields().size() + 1];
    long[] keys = keys(encoder, impression(none, Double.NaN), starts);
    assertThat(keys)
        .containsExactly(SCHEMA.fields().stream().mapToLong(FeatureEncoder::absentKey).toArray());
    assertThat(starts).containsExactly(0, 1, 2, 3, 4);
    for (String sent : List.of("\0absent", "\0unknown", "\0\0absent", "absent", "")) {
      String[][] values = {{sent}, {sent}, {sent}};
      long[] others = keys(encoder, impression(values, 1), starts);
      assertThat(others).as(sent).doesNotContain(keys);
      assertThat(others)
          .as(sent)
          .doesNotContain(SCHEMA.fields().stream().mapToLong(FeatureEncoder::unknownKey).toArray());
    }
  }

  private static int size(Impression compact) {
    return ((CompactFeatures) compact.features()).bytes().length;
  }

  @Test
  void otherFieldsAreRefused() {
    FeatureSchema other = TestingPipelines.shop("[1, 10, 100]", "[1, 10, 1000]").schema();
    String[][] none = {{}, {}, {}};
    Impression compact = compact(other, impression(none, 5));
    int[] starts = new int[SCHEMA.fields().size() + 1];
    assertThatThrownBy(() -> keys(new FeatureEncoder(SCHEMA), compact, starts))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("let all windows close");
  }
}
