package dev.freshet.core.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.freshet.core.codec.LayoutTooNewException;
import dev.freshet.core.events.SourcePosition;
import dev.freshet.core.features.FeatureSchema;
import dev.freshet.core.features.NumberScale;
import dev.freshet.core.features.NumberStatistics;
import dev.freshet.core.labels.Task;
import dev.freshet.core.labels.correction.DelayCorrections;
import dev.freshet.core.labels.correction.NegativeSampling;
import dev.freshet.core.network.AmountScale;
import dev.freshet.core.network.Shrinkage;
import dev.freshet.core.pipeline.TestingPipelines;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * The manifest is read by other people's code: today's are written as they are frozen here, and
 * yesterday's are still read.
 */
class ManifestTest {

  private static final Path GOLDEN = Path.of("src/test/resources/golden");

  private static final Manifest DELTA = delta(3, null, null);

  private static final Map<String, NumberScale> NUMBERS =
      Map.of(
          "age", new NumberScale(null, null, new double[] {36.5}, new double[] {12.25}),
          "price", new NumberScale(new double[] {1, 9.99}, new int[] {0, 2, 1}, null, null));

  private static Manifest delta(
      int format, Map<String, NumberScale> numbers, Map<String, Shrinkage> shrinkage) {
    return new Manifest(
        format,
        Manifest.DELTA,
        "shop",
        "main",
        "shared-bottom",
        "1767225600-400",
        "1767225600-300",
        "ab12",
        "schema",
        "settings",
        List.of(new Manifest.Chunk(524_288, "c0"), new Manifest.Chunk(100, "c1")),
        524_388,
        "cd34",
        51_200,
        1_767_225_600_000L,
        null,
        new AmountScale(Task.Transform.LOG1P, 0, 31.5, 1.25, 0.5, -6300, 6300),
        numbers,
        Map.of("click", "fnc", "purchase", "wait"),
        0.1,
        shrinkage,
        Map.of("click", Map.of("auc", 0.75)),
        1_767_225_700_000L,
        List.of(
            new SourcePosition("clicks", 0, 1_200, 1_767_225_698_000L),
            new SourcePosition("impressions", 0, 60_000, 1_767_225_699_000L)),
        1_767_225_690_000L,
        "ef56",
        "0.1.0+1a2b3c4",
        List.of("user_id: categorical, dim 16", "price: numeric, dim 4, edges [1.0, 10.0]"));
  }

  /** Its text, which is that of the file; to write that anew: {@code -Dgolden.write=true}. */
  private static String isFrozen(Manifest manifest, Path file) throws IOException {
    String written = new String(manifest.toJson(), StandardCharsets.UTF_8) + "\n";
    if (Boolean.getBoolean("golden.write")) {
      Files.writeString(file, written);
    }
    assertThat(written).isEqualTo(Files.readString(file));
    return written;
  }

  @Test
  void saysHowNumbersAreRead() throws IOException {
    Path file = GOLDEN.resolve("manifest-delta-4.json");
    Manifest numbers = delta(4, NUMBERS, null);
    isFrozen(numbers, file);
    Manifest read = Manifest.fromJson(Files.readAllBytes(file));
    assertThat(read).usingRecursiveComparison().isEqualTo(numbers);
    assertThat(read.asBase(7, "ef56").numbers()).isEqualTo(read.numbers());
    FeatureSchema schema =
        TestingPipelines.shop(
                "edges: [1, 10, 100]}", "buckets: 3}\n  - {name: age, kind: numeric, as: value}")
            .schema();
    assertThat(NumberStatistics.checked(schema, read.numbers())).hasSize(2);
    assertThatThrownBy(() -> NumberStatistics.checked(schema, Map.of("age", NUMBERS.get("age"))))
        .hasMessageContaining("field price");
    for (NumberScale wrong :
        List.of(
            NUMBERS.get("age"),
            new NumberScale(new double[] {2, 1}, new int[] {0, 2, 1}, null, null),
            new NumberScale(new double[] {1}, new int[] {0, 2, 1}, null, null))) {
      Map<String, NumberScale> with = Map.of("age", NUMBERS.get("age"), "price", wrong);
      assertThatThrownBy(() -> NumberStatistics.checked(schema, with))
          .isInstanceOf(IOException.class);
    }
    assertThat(NumberStatistics.checked(TestingPipelines.shop().schema(), null)).isEmpty();
  }

  @Test
  void saysHowPredictionsAreShrunk() throws IOException {
    Path file = GOLDEN.resolve("manifest-delta-5.json");
    Manifest shrunk = delta(5, null, Map.of("click", new Shrinkage(0.125, 0.75)));
    String written = isFrozen(shrunk, file);
    Manifest read = Manifest.fromJson(Files.readAllBytes(file));
    assertThat(read).usingRecursiveComparison().isEqualTo(shrunk);
    assertThat(read.shrinkage("click")).isEqualTo(new Shrinkage(0.125, 0.75));
    assertThat(read.shrinkage("purchase")).isEqualTo(Shrinkage.NONE);
    assertThat(read.asBase(7, "ef56").shrinkage("click")).isEqualTo(read.shrinkage("click"));
    for (String wrong : List.of("\"slope\":-0.1", "\"slope\":1.5", "\"slope\":\"NaN\"")) {
      byte[] json = written.replace("\"slope\":0.75", wrong).getBytes(StandardCharsets.UTF_8);
      Manifest impossible = Manifest.fromJson(json);
      assertThatThrownBy(() -> impossible.shrinkage("click"))
          .as(wrong)
          .isInstanceOf(IOException.class)
          .hasMessageContaining("impossible");
    }
  }

  @Test
  void isWrittenAsItIsFrozen() throws IOException {
    Path file = GOLDEN.resolve("manifest-delta-3.json");
    isFrozen(DELTA, file);
    Manifest read = Manifest.fromJson(Files.readAllBytes(file));
    assertThat(read).usingRecursiveComparison().isEqualTo(DELTA);
    assertThat(read.isDelta()).isTrue();
    assertThat(read.sampling()).isEqualTo(new NegativeSampling(0.1));
    assertThat(read.correction("click")).isEqualTo(DelayCorrections.FNC);
    assertThat(read.producedUpTo()).hasValue(1_767_225_699_000L);
  }

  /** Written in version 0.1, before corrections and samplings were told. */
  @Test
  void readsManifestsOfBefore() throws IOException {
    Manifest read = Manifest.fromJson(Files.readAllBytes(GOLDEN.resolve("manifest-base-0.1.json")));
    assertThat(read.isDelta()).isFalse();
    assertThat(read.version()).isEqualTo("1767225600-300");
    assertThat(read.correction("click")).isEqualTo(DelayCorrections.WAIT);
    assertThat(read.sampling()).isEqualTo(NegativeSampling.NONE);
    assertThat(read.producedUpTo()).isEmpty();
    Manifest silent = Manifest.fromJson(Files.readAllBytes(GOLDEN.resolve("manifest-delta.json")));
    assertThat(silent.code()).isEqualTo("0.1.0+1a2b3c4");
    assertThat(silent.features()).as("told later").isNull();
    Path told = GOLDEN.resolve("manifest-delta-features.json");
    assertThat(Manifest.fromJson(Files.readAllBytes(told)).features()).hasSize(2);
    Manifest whole = DELTA.asBase(7, "ef56");
    assertThat(whole.isDelta()).isFalse();
    assertThat(whole.parent()).isNull();
    assertThat(whole.chunks()).containsExactly(new Manifest.Chunk(7, "ef56"));
  }

  /** Written before rows had first-order weights. */
  @Test
  void readsManifestsOfFormatTwo() throws IOException {
    Manifest read = Manifest.fromJson(Files.readAllBytes(GOLDEN.resolve("manifest-delta-2.json")));
    assertThat(read.format()).isEqualTo(2);
    assertThat(read).usingRecursiveComparison().ignoringFields("format").isEqualTo(DELTA);
  }

  /** Written before amounts had a unit and a factor: decoded by its moments. */
  @Test
  void readsManifestsOfFormatOne() throws IOException {
    Manifest read = Manifest.fromJson(Files.readAllBytes(GOLDEN.resolve("manifest-delta.json")));
    assertThat(read.targetScale()).containsExactly(3, 1.5, 2.25);
    AmountScale zscore = read.amounts(Task.Transform.ZSCORE);
    assertThat(zscore.decode(2)).isEqualTo(2 * Math.sqrt(2.25 / 3) + 1.5);
    assertThat(read.amounts(Task.Transform.DEVIATION).decode(2)).isEqualTo(2 * Math.sqrt(2.25 / 3));
    assertThat(read.amounts(Task.Transform.LOG1P).decode(-2)).isEqualTo(-Math.expm1(2));
    assertThat(read.amounts(Task.Transform.NONE).decode(1e20)).isEqualTo(1e20);
    assertThat(read.amounts(null)).isNull();
  }

  @Test
  void anImpossibleScaleIsRefused() throws IOException {
    String json = new String(DELTA.toJson(), StandardCharsets.UTF_8);
    Manifest zero =
        Manifest.fromJson(
            json.replace("\"unit\":31.5", "\"unit\":0").getBytes(StandardCharsets.UTF_8));
    assertThatThrownBy(() -> zero.amounts(Task.Transform.LOG1P))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("impossible");
    assertThat(zero.amounts(null)).as("nobody asks").isNull();
  }

  @Test
  void ignoresUnknownKeysAndRefusesUnknownFormats() throws IOException {
    String json = new String(DELTA.toJson(), StandardCharsets.UTF_8);
    String more = json.replaceFirst("\\{", "{\"colour\":\"blue\",");
    assertThat(Manifest.fromJson(more.getBytes(StandardCharsets.UTF_8)).bytes()).isEqualTo(524_388);
    String later = json.replace("\"format\":3", "\"format\":6");
    assertThatThrownBy(() -> Manifest.fromJson(later.getBytes(StandardCharsets.UTF_8)))
        .isInstanceOf(LayoutTooNewException.class)
        .hasMessageContaining("manifest has version 6");
    String other = json.replace("\"fnc\"", "\"magic\"");
    Manifest unknown = Manifest.fromJson(other.getBytes(StandardCharsets.UTF_8));
    assertThatThrownBy(() -> unknown.correction("click")).hasMessageContaining("magic");
  }
}
