package dev.freshet.core.features;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.freshet.core.events.Impression;
import dev.freshet.core.events.RawFeatures;
import dev.freshet.core.pipeline.TestingPipelines;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.DoubleSupplier;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NumberStatisticsTest {

  private static final int BATCH = 50;

  private static FeatureSchema schema(String price) {
    return TestingPipelines.shop("edges: [1, 10, 100]}", price + "}").schema();
  }

  private static List<EncodedExample> examples(FeatureSchema schema, int from, double... prices) {
    ExampleEncoder encoder = new ExampleEncoder(schema);
    List<EncodedExample> examples = new ArrayList<>();
    for (int i = 0; i < prices.length; i++) {
      RawFeatures raw =
          new RawFeatures(new String[][] {{}, {"u"}, {"i"}}, new double[] {prices[i]});
      Impression impression = new Impression("i" + (from + i), 1, raw, null);
      examples.add(encoder.encode(impression));
    }
    return examples;
  }

  private static double[] draw(int count, DoubleSupplier of) {
    return DoubleStream.generate(of).limit(count).toArray();
  }

  private static void see(NumberStatistics statistics, List<EncodedExample> examples) {
    for (int i = 0; i < examples.size(); i += BATCH) {
      statistics.see(examples.subList(i, Math.min(i + BATCH, examples.size())));
    }
  }

  private static NumberScale price(NumberStatistics statistics) {
    return statistics.scales().get("price");
  }

  private static int bucket(NumberStatistics statistics, double value) {
    return price(statistics).bucket(value);
  }

  /** Whatever the numbers are like, no bucket holds much more than its share of them. */
  @ParameterizedTest
  @ValueSource(strings = {"lognormal", "years", "tiny", "negative"})
  void bucketsHoldTheirShare(String kind) {
    Random random = new Random(1);
    DoubleSupplier of =
        switch (kind) {
          case "lognormal" -> () -> Math.exp(3 * random.nextGaussian());
          case "years" -> () -> 1_767_225_600_000.0 + random.nextInt(1_000_000);
          case "tiny" -> () -> 1e-9 * random.nextDouble();
          default -> () -> -1e200 * random.nextDouble();
        };
    FeatureSchema schema = schema("buckets: 20");
    NumberStatistics statistics = new NumberStatistics(schema);
    see(statistics, examples(schema, 0, draw(20_000, of)));
    Map<Integer, Integer> counts = new HashMap<>();
    DoubleStream.of(draw(20_000, of))
        .forEach(value -> counts.merge(bucket(statistics, value), 1, Integer::sum));
    assertThat(counts.size()).isBetween(10, 40);
    assertThat(Collections.max(counts.values())).isLessThan(20_000 * 3 / 20);
  }

  /** A value that comes often has a bucket of its own, and keeps its name for ever. */
  @Test
  void fewValuesHaveTheirOwnBuckets() {
    Random random = new Random(1);
    FeatureSchema schema = schema("admit-after: 1");
    NumberStatistics statistics = new NumberStatistics(schema);
    double[] nights =
        draw(50_000, () -> Math.min(9, Math.floor(Math.exp(1.2 * random.nextGaussian()))));
    see(statistics, examples(schema, 0, Arrays.copyOf(nights, 5_000)));
    int[] names = IntStream.range(0, 4).map(n -> bucket(statistics, n)).toArray();
    assertThat(names).doesNotHaveDuplicates();
    see(statistics, examples(schema, 5_000, Arrays.copyOfRange(nights, 5_000, nights.length)));
    assertThat(IntStream.range(0, 4).map(n -> bucket(statistics, n)).toArray()).isEqualTo(names);
  }

  /** Most have none, and those that have some are told apart all the same. */
  @Test
  void whatIsBesideAFrequentValueIsToldApart() {
    Random random = new Random(1);
    FeatureSchema schema = schema("buckets: 24");
    NumberStatistics statistics = new NumberStatistics(schema);
    see(
        statistics,
        examples(
            schema, 0, draw(40_000, () -> Math.max(0, Math.floor(60 * random.nextDouble()) - 56))));
    int[] names = IntStream.range(0, 4).map(n -> bucket(statistics, n)).toArray();
    assertThat(names).doesNotHaveDuplicates();
    assertThat(bucket(statistics, -1)).isEqualTo(names[0]);
    assertThat(bucket(statistics, 99)).isEqualTo(names[3]);
  }

  /** Edges that were drawn stay, however the numbers move; new ones come where these went. */
  @Test
  void edgesStayAndNewOnesFollow() {
    Random random = new Random(1);
    FeatureSchema schema = schema("buckets: 12");
    NumberStatistics statistics = new NumberStatistics(schema);
    see(statistics, examples(schema, 0, draw(70_000, () -> random.nextDouble())));
    double[] before = price(statistics).edges();
    see(statistics, examples(schema, 70_000, draw(140_000, () -> 50 + random.nextDouble())));
    double[] after = price(statistics).edges();
    assertThat(after).contains(before);
    assertThat(DoubleStream.of(after).filter(edge -> edge > 50).count()).isGreaterThan(5);
    assertThat(price(statistics).fits(schema.fields().get(1))).isTrue();
    assertThat(after.length).isLessThan(4 * 12);
  }

  @ParameterizedTest
  @ValueSource(strings = {"linear", "log", "log1p"})
  void oneOddNumberMovesNothing(String scale) {
    Random random = new Random(1);
    FeatureSchema schema = schema("as: value, scale: " + scale);
    NumberStatistics sane = new NumberStatistics(schema);
    NumberStatistics odd = new NumberStatistics(schema);
    double[] prices = draw(2_000, () -> 500 + 100 * random.nextGaussian());
    see(sane, examples(schema, 0, prices));
    prices[3] = 1e308;
    prices[1_500] = -1e308;
    see(odd, examples(schema, 0, prices));
    for (NumberStatistics of : List.of(sane, odd)) {
      double mean = scale.equals("linear") ? 500 : Math.log(500);
      assertThat(price(of).centre()[0]).isCloseTo(mean, within(0.02 * mean));
      double deviation = scale.equals("linear") ? 100 : 0.2;
      assertThat(price(of).deviation()[0]).isCloseTo(deviation, within(0.15 * deviation));
    }
  }

  /** A number is its deviations from the mean, within its bounds; before that is known it is 0. */
  @Test
  void numbersAreNormalisedAndClipped() {
    Random random = new Random(1);
    FeatureSchema schema = schema("as: value, clip: [-1, 2]");
    NumberStatistics statistics = new NumberStatistics(schema);
    ExampleCompleter completer = new ExampleCompleter(schema);
    List<EncodedExample> some = examples(schema, 0, 10, 13, 1e300, -1e300, Double.NaN, 0);
    int field = schema.fields().stream().map(FeatureField::name).toList().indexOf("price");
    assertThat(weights(completer.complete(some, statistics.scales()), field))
        .containsExactly(0, 0, 0, 0, 1, 0);
    see(statistics, examples(schema, 10, draw(3_000, () -> 10 + 2 * random.nextGaussian())));
    List<EncodedExample> complete = completer.complete(some, statistics.scales());
    assertThat(weights(complete, field)[0]).isCloseTo(0, within(0.1f));
    assertThat(weights(complete, field)[1]).isCloseTo(1.5f, within(0.1f));
    assertThat(weights(complete, field)).endsWith(2, -1, 1, -1);
    List<String> clipped = new ArrayList<>();
    completer.eachClipped((example, of, kind) -> clipped.add(example + " " + of));
    assertThat(clipped).containsExactly("2 " + field, "3 " + field, "5 " + field);
    assertThat(complete.get(0).keys()).containsExactly(complete.get(1).keys());
    assertThat(complete.get(4).keys()[complete.get(4).starts()[field]])
        .isEqualTo(FeatureEncoder.absentKey(schema.fields().get(field)));
  }

  private static float[] weights(List<EncodedExample> of, int field) {
    float[] weights = new float[of.size()];
    for (int i = 0; i < weights.length; i++) {
      assertThat(of.get(i).starts()[field + 1] - of.get(i).starts()[field]).isEqualTo(1);
      weights[i] = of.get(i).weights()[of.get(i).starts()[field]];
    }
    return weights;
  }

  @Test
  void aConstantSaysNothing() {
    FeatureSchema schema = schema("as: value");
    NumberStatistics statistics = new NumberStatistics(schema);
    see(statistics, examples(schema, 0, draw(500, () -> 7)));
    assertThat(price(statistics).deviation()).containsExactly(0);
    assertThat(price(statistics).normalize(8, 0)).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"buckets: 24", "as: value"})
  void goesOnAsIfItHadNeverStopped(String price) throws IOException {
    Random random = new Random(1);
    FeatureSchema schema = schema(price);
    List<EncodedExample> all =
        examples(schema, 0, draw(150_000, () -> Math.exp(random.nextGaussian())));
    NumberStatistics straight = new NumberStatistics(schema);
    see(straight, all);
    NumberStatistics first = new NumberStatistics(schema);
    see(first, all.subList(0, 68_000));
    NumberStatistics second = new NumberStatistics(schema);
    second.read(new DataInputStream(new ByteArrayInputStream(bytes(first))));
    assertThat(second.scales()).usingRecursiveComparison().isEqualTo(first.scales());
    see(second, all.subList(68_000, all.size()));
    assertThat(bytes(second)).isEqualTo(bytes(straight));
  }

  /** The same impressions in another order, some of them told twice, are the same sample. */
  @Test
  void orderDoesNotMatter() {
    Random random = new Random(1);
    FeatureSchema schema = schema("buckets: 24");
    List<EncodedExample> all = examples(schema, 0, draw(8_192, random::nextGaussian));
    NumberSample one = new NumberSample(256);
    NumberSample other = new NumberSample(256);
    List<EncodedExample> turned = new ArrayList<>(all);
    turned.addAll(all.subList(0, 999));
    Collections.shuffle(turned, random);
    int price = 1;
    for (Map.Entry<NumberSample, List<EncodedExample>> of :
        Map.of(one, all, other, turned).entrySet()) {
      for (EncodedExample e : of.getValue()) {
        if (of.getKey().wants(e.id())) {
          of.getKey().add(e.id(), new double[] {e.keys()[e.starts()[price]]});
        }
      }
    }
    assertThat(one.sorted(0)).hasSize(256).isEqualTo(other.sorted(0));
  }

  private static byte[] bytes(NumberStatistics statistics) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    statistics.write(new DataOutputStream(out));
    return out.toByteArray();
  }
}
