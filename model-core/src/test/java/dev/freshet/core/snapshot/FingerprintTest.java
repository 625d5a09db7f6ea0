package dev.freshet.core.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.codec.Sha256;
import dev.freshet.core.models.Models;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.core.pipeline.TestingPipelines;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Readers refuse weights by fingerprints, so these are frozen in a file: what is in it may only
 * grow. To add to it, run once with {@code -Dgolden.write=true}.
 */
class FingerprintTest {

  private static final Path GOLDEN =
      Path.of("src", "test", "resources", "golden", "fingerprints-1.txt");

  @Test
  void allKindsOfModelsHaveTheFrozenOnes() throws IOException {
    StringBuilder all = new StringBuilder();
    for (String kind : Models.kinds().keySet()) {
      // A model that wants fields of one size gets them.
      Pipeline pipeline =
          PipelineFile.parse(
              TestingPipelines.SHOP
                  .replace("dim: 4", "dim: 8")
                  .replace("kind: htlnet, tower: [16, 8], tau-steps: 50", "kind: " + kind),
              kind);
      var context = pipeline.context(pipeline.model("main"));
      String text = ModelFingerprint.text(context);
      assertThat(ModelFingerprint.of(context))
          .isEqualTo(Sha256.of(text.getBytes(StandardCharsets.UTF_8)));
      all.append(text).append("\n= ").append(ModelFingerprint.of(context)).append("\n\n");
    }
    all.append("shop features = ").append(TestingPipelines.shop().schema().fingerprint());
    all.append("\nwithout many = ").append(schema(", many: true", "")).append('\n');
    if (Boolean.getBoolean("golden.write")) {
      Files.writeString(GOLDEN, all);
    }
    assertThat(all.toString()).isEqualTo(Files.readString(GOLDEN));
  }

  private static String schema(String part, String replacement) {
    return TestingPipelines.shop(part, replacement).schema().fingerprint();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "tau-steps: 50; tau-steps: 50, alpha: 0.5, gamma: 0.2, noise: true, adjust: false",
        "name: main; name: other",
        "window: 10m}; window: 10m, loss-weight: 2}",
        "window: 10m}; window: 10m, correction: fnw}",
        "admit-after: 1; admit-after: 3, expire-after: 1d",
        "batch: 64; batch: 128",
        "after: click, window: 1h; window: 1h"
      })
  void howWeightsAreLearntIsNoPart(String part, String replacement) {
    Pipeline other = TestingPipelines.shop(part, replacement);
    assertThat(first(other)).isEqualTo(first(TestingPipelines.shop()));
    assertThat(other.schema().fingerprint())
        .isEqualTo(TestingPipelines.shop().schema().fingerprint());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "tower: [16, 8], tau; tower: [16], tau",
        "tau-steps: 50; tau-steps: 50, representation: last",
        "tau-steps: 50; tau-steps: 50, inference: likelier",
        "tau-steps: 50; tau-steps: 50, fusion: false",
        "tau-steps: 50; tau-steps: 50, amount: {loss: ziln}",
        "window: 10m; window: 11m",
        "window: 10m}; window: 10m, negatives: explicit}",
        "window: 10m}; window: 10m, deadline: {at: end}}",
        "window: 10m}; window: 10m, deadline: {after: days, unit: 1d}}",
        "transform: zscore; transform: log1p",
        "after: purchase, window; after: click, window"
      })
  void whatWeightsMeanIs(String part, String replacement) {
    assertThat(first(TestingPipelines.shop(part, replacement)))
        .isNotEqualTo(first(TestingPipelines.shop()));
  }

  private static String first(Pipeline pipeline) {
    return ModelFingerprint.of(pipeline.context(pipeline.models().get(0)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        ", many: true; ''",
        "name: user, kind; name: usr, kind",
        "name: tags, kind: categorical, dim: 4; name: tags, kind: categorical, dim: 2",
        "edges: [1, 10, 100]; edges: [1, 10, 101]",
        "edges: [1, 10, 100]; buckets: 3, from: 1, to: 100",
        "edges: [1, 10, 100]; buckets: 3, from: 1, to: 100, scale: log"
      })
  void whatChangesKeysOrPlacesChangesTheSchema(String part, String replacement) {
    assertThat(schema(part, replacement))
        .isNotEqualTo(TestingPipelines.shop().schema().fingerprint());
  }

  @Test
  void aPipelineIsFingerprintedByWhatItsFileSays() {
    Pipeline shop = TestingPipelines.shop();
    assertThat(TestingPipelines.shop("batch: 64", "batch: 64, seed: 1").fingerprint())
        .as("a default that is written out")
        .isEqualTo(shop.fingerprint());
    assertThat(shop.withBootstrap("elsewhere:1").fingerprint()).isEqualTo(shop.fingerprint());
    assertThat(TestingPipelines.shop("batch: 64", "batch: 65").fingerprint())
        .isNotEqualTo(shop.fingerprint());
    assertThat(TestingPipelines.shop("tau-steps: 50", "tau-steps: 51").fingerprint())
        .isNotEqualTo(shop.fingerprint());
    assertThat(
            TestingPipelines.shop("kind: shared-bottom, bottom: [16], tower", "kind: esmm, tower")
                .fingerprint())
        .isNotEqualTo(shop.fingerprint());
  }
}
