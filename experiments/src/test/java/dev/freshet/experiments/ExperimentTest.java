package dev.freshet.experiments;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.settings.InvalidSettingsException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ExperimentTest {

  private static final String SMALL =
      """
      experiment: small
      data: {kind: funnel, examples: 6000, rates: [0.3, 0.3], relatedness: [1.0, 0.0], users: 50, items: 20}
      seeds: [1, 2, 3]
      baseline: plain
      metrics: [click.auc, revenue.spearman, chain.violations, relatedness.separation]
      pipeline:
        pipeline: small
        tasks:
          - {name: click, kind: binary, window: 1m}
          - {name: purchase, kind: binary, window: 1m}
          - {name: revenue, kind: continuous, window: 1m}
        features:
          - {name: user, kind: categorical, admit-after: 1}
          - {name: item, kind: categorical, admit-after: 1}
        models:
          - {name: plain, kind: shared-bottom, bottom: [8], tower: [8]}
          - {name: same, kind: shared-bottom, bottom: [8], tower: [8]}
          - {name: chained, kind: esmm, tower: [8]}
          - {name: related, kind: adaftr, bottom: [8], tower: [8], projection: 0}
        training: {batch: 64, scoring: {from: 2026-01-06}}
      """;

  @TempDir Path folder;

  private ExperimentFile file(String text) throws IOException {
    Path file = folder.resolve("experiment.yaml");
    Files.writeString(file, text);
    return ExperimentFile.read(file);
  }

  private static PrintStream nowhere() {
    return new PrintStream(OutputStream.nullOutputStream());
  }

  /** Minutes of training should not end at a name. */
  @Test
  void whatIsMisspeltIsToldBeforeAnythingIsLearntAndAllAtOnce() {
    assertThatThrownBy(
            () ->
                file(
                    SMALL
                            .replace("click.auc, revenue.spearman", "click.acu, revenue.auc, x.auc")
                            .replace("baseline: plain", "baseline: plane\noveride: {training: {}}")
                            .replace("batch: 64", "btch: 64")
                        + "relative: {ceiling: truth, metrics: [purchase.aucc]}\n"
                        + "variants:\n  - {name: a, overide: {}}\n"))
        .isInstanceOf(InvalidSettingsException.class)
        .hasMessageContaining("overide: 'overide'; allowed: one of the keys ")
        .hasMessageContaining("did you mean 'override'?")
        .hasMessageContaining("variants[0].overide")
        .hasMessageContaining("pipeline.training.btch");
    assertThatThrownBy(
            () ->
                file(
                    SMALL
                            .replace("click.auc, revenue.spearman", "click.acu, revenue.auc, x.auc")
                            .replace("baseline: plain", "baseline: plaine")
                        + "relative: {ceiling: trut, metrics: [purchase.aucc]}\n"))
        .isInstanceOf(InvalidSettingsException.class)
        .hasMessageContaining("6 problems")
        .hasMessageContaining("metrics: 'click.acu'")
        .hasMessageContaining("did you mean 'click.auc'?")
        .hasMessageContaining(
            "metrics: 'revenue.auc'; allowed: of revenue: atBaseRate, calibration,")
        .hasMessageContaining("metrics: 'x.auc'")
        .hasMessageContaining("relative.metrics: 'purchase.aucc'")
        .hasMessageContaining("baseline: 'plaine'")
        .hasMessageContaining("did you mean 'plain'?");
  }

  @Test
  void dataIsFoundBesideTheExperimentToo() throws IOException {
    String files = "data: {kind: files, impressions: [shown.jsonl], feedback: [done.jsonl]}";
    String text = SMALL.replaceAll("data: .*", files);
    Files.writeString(folder.resolve("shown.jsonl"), "{}");
    FileData data = (FileData) file(text).cases().get(0).data();
    assertThat(data.impressions()).containsExactly(folder.resolve("shown.jsonl").toString());
    assertThat(data.feedback()).as("is nowhere").containsExactly("done.jsonl");
    String here = Path.of("pom.xml").toString();
    assertThat(
            ((FileData) file(text.replace("shown.jsonl", here)).cases().get(0).data())
                .impressions())
        .containsExactly(here);
  }

  @Test
  void comparesModelsOverSeedsAndWritesWhatItFound() throws Exception {
    Results results = new ExperimentRun(file(SMALL), 2, nowhere(), null).run();
    assertThat(results.models()).containsExactly("plain", "same", "chained", "related", "truth");
    // What can be asked for is what there is.
    ExperimentFile of = file(SMALL);
    results.write(folder.resolve("names"));
    List<String> told =
        Files.readAllLines(folder.resolve("names").resolve("results.csv")).stream()
            .skip(1)
            .map(line -> line.split(",")[3])
            .filter(name -> !name.matches(".*\\.\\d+"))
            .distinct()
            .toList();
    assertThat(told).contains("click.slope", "revenue.decileMape", "purchase.reachedAuc");
    assertThat(TrialMetrics.names(of.cases().get(0).pipeline())).containsAll(told);
    Results.Estimate auc = results.estimate("plain", "click.auc");
    assertThat(auc.count()).isEqualTo(3);
    assertThat(auc.mean()).isBetween(0.55, results.estimate("truth", "click.auc").mean());
    assertThat(auc.error()).isGreaterThan(0);
    // The same settings, examples and seeds: the paired difference is exactly nothing.
    assertThat(results.difference("same", "click.auc").mean()).isZero();
    assertThat(results.difference("same", "click.auc").clear()).isFalse();
    assertThat(results.difference("chained", "click.auc").mean()).isNotZero();
    assertThat(results.estimate("chained", "chain.violations").mean()).isZero();
    assertThat(results.estimate("related", "relatedness.separation").count()).isEqualTo(3);
    assertThat(results.estimate("plain", "relatedness.separation").count()).isZero();

    results.write(folder.resolve("out"));
    List<String> csv = Files.readAllLines(folder.resolve("out/results.csv"));
    assertThat(csv.get(0)).isEqualTo("experiment,model,seed,metric,value");
    assertThat(csv).anyMatch(line -> line.startsWith("small,plain,2,click.logLoss,"));
    assertThat(Files.readString(folder.resolve("out/tables.md")))
        .contains("| plain")
        .contains(" ± ");
    assertThat(ImageIO.read(folder.resolve("out/charts.png").toFile()).getHeight())
        .isGreaterThan(1000);
  }

  @Test
  void estimatesAreMeansWithTheirStandardErrors() {
    Results.Estimate estimate = Results.Estimate.of(List.of(1.0, 2.0, 3.0, 6.0));
    assertThat(estimate.mean()).isEqualTo(3);
    // Variance 14/3, over 4 values.
    assertThat(estimate.error()).isCloseTo(Math.sqrt(14.0 / 3 / 4), within(1e-12));
    assertThat(estimate.clear()).isTrue();
    assertThat(Results.Estimate.of(List.of(0.5)).text(true)).isEqualTo("+0.5000");
    assertThat(Results.Estimate.of(List.of()).text(false)).isEqualTo("-");
  }

  @Test
  void theFunnelIsAsLikelyAsItSays() throws Exception {
    ExperimentFile file = file(SMALL.replace("examples: 6000", "examples: 60000"));
    Examples examples = file.experiment().data().load(file.cases().get(0).pipeline(), 7);
    double[] labels = new double[3];
    double[] truth = new double[3];
    for (EncodedExample example : examples.all()) {
      for (int t = 0; t < 3; t++) {
        labels[t] += example.labels()[t].value();
        truth[t] += example.served()[t];
        assertThat(example.labels()[t].reached())
            .isEqualTo(t == 0 || example.labels()[t - 1].value() > 0);
      }
    }
    assertThat(labels[0] / truth[0]).isCloseTo(1, within(0.03));
    assertThat(labels[1] / truth[1]).isCloseTo(1, within(0.05));
    assertThat(labels[2] / truth[2]).isCloseTo(1, within(0.1));
    assertThat(examples.groups()).contains(0, 1);
    List<EncodedExample> again =
        file.experiment().data().load(file.cases().get(0).pipeline(), 7).all();
    assertThat(again.subList(0, 50))
        .usingRecursiveComparison()
        .isEqualTo(examples.all().subList(0, 50));
  }

  private static final String INTERESTS =
      """
      experiment: interests
      data: {kind: interests, impressions: 40000, users: 500, categories: 12, likes: 2}
      seeds: [1]
      baseline: mean
      metrics: [click.auc]
      pipeline:
        pipeline: interests
        tasks: [{name: click, kind: binary, window: 1m}]
        features:
          - {name: category, kind: categorical}
          - {name: seen_categories, kind: categorical, many: true, rows-of: category}
        models: [{name: net, kind: shared-bottom}]
        training: {scoring: {window: 0}}
      variants:
        - {name: mean}
        - name: attention
          override:
            features:
              - {name: category, kind: categorical}
              - {name: seen_categories, kind: categorical, many: true, rows-of: category, pooling: attention, target: category}
      """;

  @Test
  void attentionFindsWhatIsLikeTheTarget() throws Exception {
    ExperimentFile file = file(INTERESTS);
    Examples examples = file.experiment().data().load(file.cases().get(0).pipeline(), 7);
    double labels = 0;
    double truth = 0;
    for (EncodedExample example : examples.all()) {
      labels += example.labels()[0].value();
      truth += example.served()[0];
    }
    assertThat(labels / truth).isCloseTo(1, within(0.03));
    Results results = new ExperimentRun(file, 2, nowhere(), null).run();
    double mean = results.estimate("mean", "click.auc").mean();
    assertThat(results.estimate("attention", "click.auc").mean())
        .isBetween(mean + 0.02, results.estimate("truth", "click.auc").mean());
    ExperimentFile other = file(INTERESTS.replace("seen_categories", "seen_kinds"));
    assertThatThrownBy(() -> new ExperimentRun(other, 1, nowhere(), null).run())
        .hasMessageContaining("simulated interests have no field");
  }

  @Test
  void theShopIsAsLikelyAsItSays() throws Exception {
    ExperimentFile file =
        file(
            SMALL
                .replaceAll(
                    "data: .*", "data: {kind: shop, impressions: 60000, days: 1, click-rate: 0.3}")
                .replace("name: user,", "name: user_id,")
                .replace("name: item,", "name: item_id,")
                .replace("window: 1m", "window: 1h"));
    DataSource shop = file.experiment().data();
    Examples examples = shop.load(file.cases().get(0).pipeline(), 7);
    double[] labels = new double[3];
    double[] truth = new double[3];
    int[] count = new int[3];
    for (EncodedExample example : examples.all()) {
      for (int t = 0; t < 3; t++) {
        if (example.labels()[t].isFinal()) {
          labels[t] += example.labels()[t].value();
          truth[t] += example.served()[t];
          count[t]++;
        }
      }
    }
    assertThat(count).containsExactly(60_000, 60_000, 60_000);
    assertThat(labels[0] / truth[0]).isCloseTo(1, within(0.03));
    assertThat(labels[1] / truth[1]).isCloseTo(1, within(0.05));
    assertThat(labels[2] / truth[2]).isCloseTo(1, within(0.1));
    assertThat(labels[0] / 60_000).isCloseTo(0.3, within(0.06));
    assertThat(shop.load(file.cases().get(0).pipeline(), 7).all().subList(0, 50))
        .usingRecursiveComparison()
        .isEqualTo(examples.all().subList(0, 50));
  }

  @Test
  void aTrialThatDivergesEndsNoOtherOne() throws Exception {
    String text =
        SMALL.replaceAll("(?m)^ *- \\{name: (same|chained|related).*\n", "")
            + """
            variants:
              - {name: wild, override: {training: {max-norm: 1e-9, max-skipped: 3}}}
              - {name: calm}
              - {name: shaky, override: {training: {max-norm: 1e-9, max-skipped: 1000}}}
            baseline: calm
            """;
    text = text.replace("baseline: plain\n", "");
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    Path files = folder.resolve("files");
    Results results =
        new ExperimentRun(file(text), 2, new PrintStream(said, true, StandardCharsets.UTF_8), files)
            .run();
    assertThat(results.learnt()).isTrue();
    assertThat(results.estimate("wild", "click.auc").count()).isZero();
    assertThat(results.estimate("calm", "click.auc").count()).isEqualTo(3);
    assertThat(said.toString(StandardCharsets.UTF_8))
        .containsPattern("wild, seed 2, .* s:  diverged at step 0: a gradient's norm is")
        .contains("94 of its batches were left out, the first at model plain, step 0: a gradient");
    assertThat(results.tables())
        .contains(
            "- wild: 3 of 3 diverged and are in none of the figures; seed 1 diverged at step");
    results.write(folder.resolve("out"));
    assertThat(Files.readAllLines(folder.resolve("out/results.csv")))
        .contains("small,wild,3,diverged,1");
    JsonNode told = new ObjectMapper().readTree(files.resolve("runs.json").toFile());
    assertThat(told.path("runs")).hasSize(6);
    assertThat(told.path("diverged").findValuesAsText("model")).containsOnly("wild").hasSize(3);
    assertThat(told.path("diverged").get(0).path("why").asText()).startsWith("diverged at step 0");
  }

  private static final String DELAYS =
      """
      experiment: late
      data: {kind: clicks, clicks: 12000, days: 10, users: 40, items: 20, delay-spread: 0.0}
      seeds: [1, 2]
      baseline: vanilla
      relative: {ceiling: oracle, floors: [vanilla], metrics: [buys.logLoss]}
      metrics: [buys.auc, buys.logLoss, buys.calibration]
      pipeline:
        pipeline: late
        tasks: [{name: buys, kind: binary, window: 2d, waiting: 1h}]
        features:
          - {name: user, kind: categorical, admit-after: 1}
          - {name: item, kind: categorical, admit-after: 1}
        models: [{name: net, kind: shared-bottom, bottom: [8], tower: [8]}]
        training: {batch: 64, dense: {rate: 5e-3}, scoring: {at: impression, window: 0, from: 2026-01-06, to: 2026-01-08}}
      variants:
        - {name: oracle,  data: {truth: {always: true}}}
        - {name: frozen,  data: {truth: {always: true, learn-until: 2026-01-02}}}
        - {name: vanilla, override: {labels: {correction: window}}}
        - {name: es-dfm,  override: {labels: {correction: es-dfm}}}
      """;

  @Test
  void variantsDifferInPipelineAndData() throws Exception {
    ExperimentFile file = file(DELAYS);
    assertThat(file.names()).containsExactly("oracle", "frozen", "vanilla", "es-dfm");
    Results results = new ExperimentRun(file, 2, nowhere(), null).run();
    // Every variant is judged on the same clicks.
    double judged = results.estimate("oracle", "buys.examples").mean();
    for (String name : file.names()) {
      assertThat(results.estimate(name, "buys.examples").mean()).as(name).isEqualTo(judged);
    }
    assertThat(results.estimate("vanilla", "buys.calibration").mean()).isLessThan(0.7);
    assertThat(results.estimate("es-dfm", "buys.calibration").mean()).isBetween(0.85, 1.15);
    assertThat(results.estimate("oracle", "buys.calibration").mean()).isBetween(0.9, 1.1);
    assertThat(results.relative("oracle", "vanilla", "buys.logLoss").mean()).isEqualTo(1);
    assertThat(results.relative("vanilla", "vanilla", "buys.logLoss").mean()).isZero();
    assertThat(results.relative("es-dfm", "vanilla", "buys.logLoss").mean()).isBetween(0.5, 1.1);
    assertThat(results.estimate("frozen", "buys.logLoss").mean())
        .isGreaterThan(results.estimate("oracle", "buys.logLoss").mean());
    assertThat(results.tables()).contains("Share of the way from vanilla to oracle");
    assertThatThrownBy(() -> file(DELAYS.replace("name: frozen", "name: oracle")))
        .hasMessageContaining("variants")
        .hasMessageContaining("different names");
    assertThatThrownBy(
            () ->
                file(
                    DELAYS.replace(
                        "override: {labels: {correction: es-dfm",
                        "overide: {labels: {correction: es-dfm")))
        .hasMessageContaining("variants[3].overide");
  }

  /** The papers' protocol: all clicks of an hour are predicted before anything of it is learnt. */
  @Test
  void anHourIsPredictedBeforeItIsLearnt() throws Exception {
    ExperimentFile each = file(DELAYS);
    ExperimentFile hourly = file(DELAYS.replace("days: 10,", "days: 10, score-every: 1h,"));
    List<EncodedExample> one = examples(each);
    List<EncodedExample> two = examples(hourly);
    assertThat(two).hasSameSizeAs(one);
    long hour = 60 * 60 * 1000L;
    long open = Long.MIN_VALUE;
    for (EncodedExample example : two) {
      TaskLabel label = example.labels()[0];
      if (label.present()) {
        open = Math.max(open, (example.eventTime() + label.elapsed()) / hour);
      } else {
        assertThat(example.eventTime() / hour).isGreaterThan(open);
      }
    }
    assertThat(one.get(0).labels()[0].present()).isFalse();
  }

  private static List<EncodedExample> examples(ExperimentFile file) throws Exception {
    ExperimentFile.Case esDfm = file.cases().get(3);
    return esDfm.data().load(esDfm.pipeline(), 1).all();
  }

  @Test
  void filesAreThinnedAndShuffledByImpression() throws Exception {
    StringBuilder shown = new StringBuilder();
    StringBuilder bought = new StringBuilder();
    for (int i = 0; i < 200; i++) {
      String id = "\"impression_id\":\"i" + i + "\",\"event_time\":";
      shown.append("{").append(id).append(1_767_225_600_000L + i * 1000L);
      shown.append(",\"features\":{\"user\":\"u" + i % 7 + "\"}}\n");
      bought.append("{\"event_id\":\"e" + i + "\",\"kind\":\"buys\",");
      bought.append(id).append(1_767_225_600_000L + i * 1000L + 60_000).append("}\n");
    }
    Files.writeString(folder.resolve("shown.jsonl"), shown);
    Files.writeString(folder.resolve("bought.jsonl"), bought);
    String plain =
        DELAYS.replaceAll(
            "data: \\{kind: clicks.*\\}",
            "data: {kind: files, impressions: ['%s'], feedback: ['%s']}"
                .formatted(folder.resolve("shown.jsonl"), folder.resolve("bought.jsonl")));
    assertThat(yeses(plain)).isEqualTo(200);
    assertThat(yeses(plain.replace("files,", "files, share: 0.25,"))).isBetween(25L, 75L);
    ExperimentFile.Case whole = file(plain).cases().get(3);
    assertThat(whole.data().load(whole.pipeline(), 1).leftOut()).isEmpty();
    String shuffled = plain.replace("files,", "files, shuffle-times: true,");
    assertThat(yeses(shuffled)).as("feedback goes with its impression").isEqualTo(200);
    List<Long> order = examples(file(shuffled)).stream().map(EncodedExample::id).toList();
    assertThat(order).isNotEqualTo(examples(file(plain)).stream().map(EncodedExample::id).toList());
  }

  @Test
  void whatIsLeftOutOfFilesIsSaidOnce() throws Exception {
    String shown =
        "{\"impression_id\":\"i1\",\"event_time\":1767225600000,\"features\":{\"user\":\"u\"}}\n";
    Files.writeString(folder.resolve("shown.jsonl"), shown);
    String bought =
        "{\"event_id\":\"e1\",\"kind\":\"buys\",\"impression_id\":\"i1\",\"event_time\":1767225660000}\n";
    Files.writeString(
        folder.resolve("bought.jsonl"),
        bought.repeat(3)
            + bought.replace("\"event_id\":\"e1\",", "").repeat(2)
            + bought.replace("i1", "i2"));
    String experiment =
        DELAYS.replaceAll(
            "data: \\{kind: clicks.*\\}",
            "data: {kind: files, impressions: ['%s'], feedback: ['%s']}"
                .formatted(folder.resolve("shown.jsonl"), folder.resolve("bought.jsonl")));
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
    new ExperimentRun(file(experiment), 1, out, null).run();
    assertThat(bytes.toString(StandardCharsets.UTF_8))
        .containsOnlyOnce(
            "2 lines are left out, no events; first " + folder.resolve("bought.jsonl"))
        .containsOnlyOnce("2 lines are left out, duplicate; first event e1 of impression i1")
        .containsOnlyOnce("1 line is left out, orphaned: event e1 of impression i2");
  }

  private long yeses(String file) throws Exception {
    return examples(file(file)).stream()
        .filter(e -> e.labels()[0].isFinal() && e.labels()[0].value() > 0)
        .filter(e -> e.labels()[0].delay() == 60_000)
        .count();
  }

  @Test
  void everyProblemOfAFileIsTold() {
    String broken =
        SMALL
            .replace("rates: [0.3, 0.3]", "rates: [0.3, 1.3]")
            .replace("seeds: [1, 2, 3]", "seeds: [1, 1]\npasses: 2");
    assertThatThrownBy(() -> file(broken))
        .isInstanceOf(InvalidSettingsException.class)
        .hasMessageContaining("data.rates: '[0.3, 1.3]'; allowed: a rate between 0 and 1")
        .hasMessageContaining("passes");
    assertThatThrownBy(() -> file(SMALL.replace("baseline: plain", "baseline: plaine")))
        .hasMessageContaining("baseline: 'plaine'; allowed: one of plain, same, chained, related");
    assertThatThrownBy(() -> file(SMALL.replace("kind: funnel", "kind: fun")))
        .hasMessageContaining("data.kind: 'fun'; allowed: one of files, funnel, clicks, shop");
    assertThatThrownBy(() -> file(SMALL.replace("kind: esmm", "kind: esm")))
        .hasMessageContaining("models[2].kind: 'esm'");
    assertThatThrownBy(
            () -> {
              ExperimentFile file = file(SMALL.replace("rates: [0.3, 0.3]", "rates: [0.3]"));
              new ExperimentRun(file, 1, nowhere(), null).run();
            })
        .hasMessageContaining("data.rates has 1 steps, the pipeline 2 binary tasks");
  }

  static Stream<Path> shipped() throws IOException {
    Path folder = Path.of("..", "experiments");
    return Stream.concat(Files.list(folder), Files.list(folder.resolve("peers")))
        .filter(f -> f.toString().endsWith(".yaml"));
  }

  @ParameterizedTest
  @MethodSource("shipped")
  void shippedExperimentsAreValid(Path file) throws IOException {
    ExperimentFile read = ExperimentFile.read(file);
    assertThat(file.getFileName()).hasToString(read.experiment().experiment() + ".yaml");
  }
}
