package dev.freshet.core.features;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.freshet.core.events.CompactFeatures;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.RawFeatures;
import dev.freshet.core.pipeline.TestingPipelines;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class FeatureEncoderTest {

  private static final FeatureSchema SCHEMA = TestingPipelines.shop().schema();

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
    FeatureEncoder encoder = new FeatureEncoder(SCHEMA, 0);
    Impression raw = impression(categories, number);
    int[] expected = new int[SCHEMA.fields().size() + 1];
    int[] starts = new int[SCHEMA.fields().size() + 1];
    long[] keys = encoder.keys(raw.features(), expected);
    // Made by one encoder, read by another, as by two tasks.
    Impression compact = new FeatureEncoder(SCHEMA, 0).compact(raw);
    assertThat(encoder.keys(compact.features(), starts)).containsExactly(keys);
    assertThat(starts).containsExactly(expected);
  }

  @Test
  void longTextTakesNineBytes() {
    String[][] none = {{}, {}, {}};
    String[][] uuid = {{}, {"6f1c2a9e-58a5-4c3b-9a57-0d8a8f6e1b2c"}, {}};
    FeatureEncoder encoder = new FeatureEncoder(SCHEMA, 0);
    assertThat(size(encoder.compact(impression(none, Double.NaN)))).isEqualTo(4 + 4);
    assertThat(size(encoder.compact(impression(uuid, Double.NaN)))).isEqualTo(4 + 4 + 9);
    assertThat(size(encoder.compact(impression(none, 50)))).isEqualTo(4 + 4 + 1);
  }

  @Test
  void whatIsAbsentHasAKeyThatNothingSentHas() {
    FeatureEncoder encoder = new FeatureEncoder(SCHEMA, 0);
    String[][] none = {{}, {}, {}};
    int[] starts = new int[SCHEMA.fields().size() + 1];
    long[] keys = encoder.keys(impression(none, Double.NaN).features(), starts);
    assertThat(keys)
        .containsExactly(SCHEMA.fields().stream().mapToLong(FeatureEncoder::absentKey).toArray());
    assertThat(starts).containsExactly(0, 1, 2, 3, 4);
    for (String sent : List.of("\0absent", "\0unknown", "\0\0absent", "absent", "")) {
      String[][] values = {{sent}, {sent}, {sent}};
      long[] others = encoder.keys(impression(values, 1).features(), starts);
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
    Impression compact = new FeatureEncoder(other, 0).compact(impression(none, 5));
    int[] starts = new int[SCHEMA.fields().size() + 1];
    assertThatThrownBy(() -> new FeatureEncoder(SCHEMA, 0).keys(compact.features(), starts))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("let all windows close");
  }
}
