package dev.freshet.core.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.tuple;

import dev.freshet.core.features.FeatureField;
import dev.freshet.core.models.htlnet.HtlNet;
import dev.freshet.core.pipeline.TrainingSettings.Scoring;
import dev.freshet.core.settings.InvalidSettingsException;
import dev.freshet.core.settings.Problems;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class PipelineFileTest {

  @Test
  void readsWhatIsThereAndFillsInDefaults() {
    Pipeline pipeline = TestingPipelines.shop();
    assertThat(pipeline.tasks().get(1).window()).isEqualTo(Duration.ofHours(1));
    assertThat(pipeline.model("main"))
        .isInstanceOfSatisfying(
            HtlNet.class,
            m -> {
              assertThat(m.tower()).containsExactly(16, 8);
              assertThat(m.alpha()).isEqualTo(1.0);
            });
    assertThat(pipeline.topic(SystemTopic.MODELS)).isEqualTo("models");
    assertThat(pipeline.feedbackTopics()).containsEntry("click", "click");
    assertThat(pipeline.publishing().everyCheckpoints()).isEqualTo(1);
  }

  @Test
  void reportsEveryProblemAtOnceWithPathValueAndWhatIsAllowed() {
    String broken =
        """
        pipeline: test
        kafka: {format: xml}
        tasks:
          - {name: click, kind: binary, window: soon}
          - {name: revenue, kind: money, window: 1h}
        labels: {holdout: 1.5, corection: wait}
        features:
          - {name: user, kind: categorical, dim: zero}
        models:
          - {name: main, kind: transformer}
          - {name: plain, kind: htlnet, alpha: 2}
        publishing: {keep: 1}
        """;
    InvalidSettingsException e =
        catchThrowableOfType(
            InvalidSettingsException.class, () -> PipelineFile.parse(broken, "p.yaml"));
    assertThat(e.problems().stream().map(p -> p.path()))
        .containsExactlyInAnyOrder(
            "kafka.format",
            "tasks[0].window",
            "tasks[1].kind",
            "labels.holdout",
            "labels.corection",
            "features[0].dim",
            "models[0].kind",
            "models[1].alpha",
            "publishing.keep");
    assertThat(e.getMessage())
        .startsWith("p.yaml: 9 problems")
        .contains("tasks[0].window: 'soon'; allowed: a duration such as")
        .contains(
            "models[0].kind: 'transformer'; allowed: one of htlnet, adaftr, tafe, single-task")
        .contains("labels.corection: 'corection'; allowed: one of the keys ")
        .contains("did you mean 'correction'?");
  }

  @Test
  void checksWhatConcernsSeveralKeys() {
    problem("tasks[1].after", "after: click", "after: purchase");
    problem("tasks[1].kind", "purchase, kind: binary", "purchase, kind: continuous");
    problem("models[1].name", "name: plain", "name: main");
    problem("models[1].name", "name: plain", "name: Main");
    problem("kafka.topics.clicks", "tasks:", "kafka: {topics: {clicks: x}}\ntasks:");
    problem("pipeline", "pipeline: test", "pipeline: Test!");
  }

  @Test
  void checksLayouts() {
    String one = "events: {click: {when: true}}\ntasks:";
    assertThat(TestingPipelines.shop("tasks:", one).events()).containsOnlyKeys("click");
    for (String key : List.of("clicks", "models")) {
      problem("events." + key, "tasks:", one.replace("click", key));
    }
    Map<String, String> wrong =
        Map.of(
            "click.when", ".a.",
            "click.each", "foo(1)",
            "click.value", ".a | $b",
            "click.features", ".",
            "impressions.event-id", ".id",
            "click.time-zone", "Berlin",
            "click.time-pattern", "uuuu-bb",
            "click.time-unit", "hours",
            "click.preset", "segmnt",
            "click.wenn", "true");
    wrong.forEach(
        (path, value) -> {
          String[] keys = path.split("\\.");
          String events = "events: {%s: {%s: '%s'}}\ntasks:".formatted(keys[0], keys[1], value);
          problem("events." + path, "tasks:", events);
        });
    problem(
        "events.impressions.fields.usr",
        "tasks:",
        "events: {impressions: {fields: {usr: .user}}}\ntasks:");
  }

  @Test
  void ofATopicAllTasksHaveALayoutOrNone() {
    String shared = "kafka: {topics: {click: all, purchase: all, impressions: %s}}\n";
    String own = shared.formatted("shown");
    problem("events.click", "tasks:", own + "events: {purchase: {when: .p}}\ntasks:");
    String both = "events: {click: {when: .c}, purchase: {when: .p}%s}\ntasks:";
    assertThat(TestingPipelines.shop("tasks:", own + both.formatted("")).events()).hasSize(2);
    String all = shared.formatted("all");
    problem("kafka.topics.click", "tasks:", all + both.formatted(""));
    Pipeline mapped =
        TestingPipelines.shop("tasks:", all + both.formatted(", impressions: {when: .i}"));
    assertThat(mapped.withImpressionsApart().topic(SystemTopic.IMPRESSIONS))
        .isEqualTo("all.impressions");
    assertThat(mapped.fingerprint()).isNotEqualTo(TestingPipelines.shop().fingerprint());
  }

  @Test
  void checksCrosses() {
    String price = "edges: [1, 10, 100]}";
    String cross = price + "\n  - {name: both, kind: cross, of: ";
    for (String of : List.of("[user]", "[user, user]", "[user, itm]", "[user, both]", "[]")) {
      problem("features[4].of", price, cross + of + "}");
    }
    problem("features[4].many", price, cross + "[user, item], many: true}");
    problem("features[4].buckets", price, cross + "[user, item], buckets: 3}");
    problem("features[0].of", "admit-after: 1}", "admit-after: 1, of: [item, tags]}");
    String pairs = price + "\ncrosses: ";
    problem("crosses.kind", price, pairs + "pair");
    problem("crosses.kind", price, pairs + "{kind: all}");
    problem("crosses.size", price, pairs + "{kind: pairs, size: 4}");
    problem("crosses.dim", price, pairs + "{kind: pairs, dim: 0}");
    problem("crosses.admit-after", price, pairs + "{kind: pairs, admit-after: 256}");
    problem("crosses.of", price, pairs + "{kind: pairs, of: [user]}");
    problem("crosses.of", price, pairs + "{kind: pairs, of: [user, itm]}");
    problem("crosses.of", price, pairs + "{of: [user, item]}");
    problem(
        "features[4].name",
        price,
        price + "\n  - {name: item*user, kind: categorical}\ncrosses: pairs");
    assertThatThrownBy(() -> TestingPipelines.shop(price, cross + "[user, itm]}"))
        .hasMessageContaining(
            "features[4].of: 'itm'; allowed: one of user, item, tags, price; did you mean 'item'?");
  }

  /** One reading tells every fault, also where many stand in one list, and whatever it hides. */
  @Test
  void namesEveryFaultOfEveryListAtOnce() {
    String file =
        """
        pipeline: bad
        tasks:
          - {name: click, kind: binary, window: 1h, deadline: {after: days}}
        features:
          - {name: user, kind: categorical}
          - {name: item, kind: categorical}
          - {name: c1, kind: cross, of: [usr, itm]}
          - {name: c2, kind: cross, of: [user, c1]}
          - {name: c3, kind: cross}
          - {name: n, kind: count}
          - {name: m, kind: count, of: clik, by: usr, per: impresion}
          - {name: v, kind: vector}
          - {name: w, kind: numeric, as: value, normalize: none}
          - {name: t, kind: time}
          - {name: r, kind: categorical, rows-of: usr}
          - {name: b, kind: numeric, from: 2}
        crosses: {kind: pairs, of: [usr, itm, v]}
        models:
          - {name: m, kind: shared-bottom, bottom: [8, 0, -3]}
          - {kind: esmm}
        training: {batch: abc, scoring: {watch: {field: nobody}}}
        kafka: {topics: {clik: x, foo: y}}
        """;
    assertThatThrownBy(() -> PipelineFile.parse(file, "p.yaml"))
        .satisfies(
            e -> {
              List<Problems.Problem> found = ((InvalidSettingsException) e).problems();
              assertThat(found)
                  .extracting(problem -> problem.path() + " " + problem.value())
                  .containsExactlyInAnyOrder(
                      "tasks[0].deadline.unit null",
                      "features[2].of itm",
                      "features[2].of usr",
                      "features[3].of c1",
                      "features[4].of null",
                      "features[5].of null",
                      "features[5].by null",
                      "features[5].half-life null",
                      "features[6].half-life null",
                      "features[6].of clik",
                      "features[6].by usr",
                      "features[6].per impresion",
                      "features[7].size null",
                      "features[8].clip null",
                      "features[9].part null",
                      "features[10].rows-of usr",
                      "features[11].buckets null",
                      "features[11].to null",
                      "crosses.of usr",
                      "crosses.of itm",
                      "crosses.of v",
                      "models[0].bottom [8, 0, -3]",
                      "models[1].name null",
                      "training.batch abc",
                      "training.scoring.watch.field nobody",
                      "kafka.topics.clik clik",
                      "kafka.topics.foo foo");
            })
        .hasMessageContaining("features[5].by: not given; allowed: the field whose value's")
        .hasMessageContaining("models[1].name: not given; allowed: text")
        .hasMessageNotContaining("null")
        .hasMessageNotContaining("''");
  }

  @Test
  void checksTimes() {
    String price = "edges: [1, 10, 100]}";
    String time = price + "\n  - {name: when, kind: time";
    problem("features[4].part", price, time + "}");
    problem("features[4].part", price, time + ", part: minute}");
    problem("features[4].zone", price, time + ", part: hour, zone: Nowhere/Land}");
    problem("features[4].many", price, time + ", part: hour, many: true}");
    problem("features[4].edges", price, time + ", part: hour, edges: [6, 12]}");
    problem("features[0].part", "admit-after: 1}", "admit-after: 1, part: hour}");
    problem("features[0].zone", "admit-after: 1}", "admit-after: 1, zone: Europe/Berlin}");
  }

  @Test
  void checksCounts() {
    String price = "edges: [1, 10, 100]}";
    String count = price + "\n  - {name: often, kind: count, ";
    String clicks = "of: click, by: item, half-life: 1h";
    problem("features[4].of", price, count + "by: item, half-life: 1h}");
    problem("features[4].of", price, count + "of: [click, purchase], by: item, half-life: 1h}");
    problem("features[4].of", price, count + "of: clik, by: item, half-life: 1h}");
    problem("features[4].by", price, count + "of: click, half-life: 1h}");
    problem("features[4].by", price, count + "of: click, by: price, half-life: 1h}");
    problem("features[4].by", price, count + "of: click, by: tags, half-life: 1h}");
    problem("features[4].half-life", price, count + "of: click, by: item}");
    problem("features[4].half-life", price, count + "of: click, by: item, half-life: 0s}");
    problem("features[4].per", price, count + clicks + ", per: click}");
    problem("features[4].per", price, count + clicks + ", per: show}");
    problem("features[4].least", price, count + clicks + ", least: 3}");
    problem("features[4].least", price, count + clicks + ", per: impression, least: 0}");
    problem("features[4].from", price, count + clicks + ", from: 0, buckets: 3, scale: log}");
    problem("features[4].many", price, count + clicks + ", many: true}");
    problem("features[0].by", "admit-after: 1}", "admit-after: 1, by: item}");
    problem("features[0].half-life", "admit-after: 1}", "admit-after: 1, half-life: 1h}");
    problem("features[0].per", "admit-after: 1}", "admit-after: 1, per: click}");
    problem("features[0].of", "admit-after: 1}", "admit-after: 1, of: click}");
    Pipeline pipeline =
        TestingPipelines.shop(
            price, count + clicks + "}\n  - {name: both, kind: cross, of: [often, user], dim: 2}");
    assertThat(pipeline.schema().described())
        .contains(
            "often: count, dim 8, of click by item, half-life 3600000 ms, 50 buckets from 0.03125"
                + " to 1048576.0, log");
    String without = TestingPipelines.shop().schema().fingerprint();
    String hour = pipeline.schema().fingerprint();
    String day =
        TestingPipelines.shop(price, count + "of: click, by: item, half-life: 24h}")
            .schema()
            .fingerprint();
    assertThat(List.of(without, hour, day)).doesNotHaveDuplicates();
  }

  @Test
  void checksWhoseRowsAreUsed() {
    String tags = "{name: tags, kind: categorical, dim: 4, many: true}";
    String seen = "{name: seen, kind: categorical, many: true, rows-of: ";
    for (String owner : List.of("itm", "seen", "price", "''")) {
      problem("features[2].rows-of", tags, seen + owner + "}");
    }
    problem("features[2].dim", tags, seen + "item, dim: 4}");
    problem("features[2].admit-after", tags, seen + "user, admit-after: 3}");
    problem("features[2].expire-after", tags, seen + "item, expire-after: 3d}");
    problem("features[3].rows-of", "edges: [1, 10, 100]}", "edges: [1, 10, 100], rows-of: item}");
    Pipeline pipeline =
        TestingPipelines.shop(
            tags, seen + "item}\n  - {name: both, kind: cross, of: [seen, user], dim: 2}");
    assertThat(pipeline.schema().described())
        .contains("seen: categorical, dim 8, many, rows of item");
  }

  @Test
  void checksWhatIsLookedAtBesideWhat() {
    String tags = "{name: tags, kind: categorical, dim: 4, many: true}";
    String seen = "{name: seen, kind: categorical, many: true, rows-of: item, pooling: ";
    problem("features[2].pooling", tags, seen + "softmax}");
    problem("features[2].pooling", tags, "{name: tag, kind: categorical, pooling: attention}");
    problem("features[2].target", tags, seen + "attention}");
    problem("features[2].target", tags, seen + "mean, target: item}");
    for (String target : List.of("itm", "seen", "price", "''")) {
      problem("features[2].target", tags, seen + "attention, target: " + target + "}");
    }
    String own = "{name: tags, kind: categorical, many: true, pooling: attention, target: item";
    problem("features[2].pooling", tags, own + ", dim: 5}");
    problem(
        "features[2].target", tags, own + ", dim: 5}\n  - {name: five, kind: categorical, dim: 5}");
    String nobodys = seen.replace("rows-of: item", "rows-of: itm") + "attention, target: ";
    for (String once :
        List.of(
            seen + "attention}",
            seen + "attention, target: itm}",
            nobodys + "user}",
            own + ", dim: 5}",
            own.replace("many: true, ", "") + "}")) {
      assertThatThrownBy(() -> TestingPipelines.shop(tags, once))
          .isInstanceOfSatisfying(
              InvalidSettingsException.class, e -> assertThat(e.problems()).hasSize(1));
    }
    String dims =
        "features[2].target: 'itm'; allowed: one of user, item, which have one value and rows of"
            + " dim 8 as well; did you mean 'item'?";
    assertThatThrownBy(() -> TestingPipelines.shop(tags, seen + "attention, target: itm}"))
        .hasMessageContaining(dims);
    Pipeline mean = TestingPipelines.shop(tags, seen + "mean}");
    Pipeline attention = TestingPipelines.shop(tags, seen + "attention, target: item}");
    assertThat(attention.schema().differencesFrom(mean.schema().described()))
        .isEqualTo(
            "it has seen: categorical, dim 8, many, rows of item; here is seen: categorical, dim 8,"
                + " many, rows of item, attention to item");
    assertThat(attention.schema().fingerprint()).isNotEqualTo(mean.schema().fingerprint());
  }

  @Test
  void checksWhichFieldsHaveWeights() {
    String tags = "{name: tags, kind: categorical, dim: 4, many: true}";
    String one = "{name: tags, kind: categorical, dim: 4, weighted: true}";
    problem("features[2].weighted", tags, one);
    problem("features[3].weighted", "edges: [1, 10, 100]}", "edges: [1, 10, 100], weighted: true}");
    Pipeline plain = TestingPipelines.shop();
    Pipeline weighted = TestingPipelines.shop("many: true}", "many: true, weighted: true}");
    assertThat(weighted.schema().described())
        .contains("tags: categorical, dim 4, many with weights");
    assertThat(weighted.schema().fingerprint()).isNotEqualTo(plain.schema().fingerprint());
  }

  @Test
  void checksHowNumbersAreRead() {
    String edges = "edges: [1, 10, 100]}";
    for (String numbers : List.of("buckets: 9}", "dim: 4}")) {
      Pipeline learnt = TestingPipelines.shop(", " + "dim: 4, " + edges, ", " + numbers);
      assertThat(learnt.schema().fields()).anyMatch(FeatureField::learnt);
    }
    Pipeline value =
        TestingPipelines.shop(edges, "as: value, scale: log, clip: [-9, 3]}\ncrosses: pairs");
    assertThat(value.schema().described())
        .contains("price: numeric, dim 4, as value, log, z-score in -9.0 to 3.0")
        .noneMatch(field -> field.contains("price and") || field.contains("and price"));
    problem("features[3].buckets", edges, "from: 1, to: 9}");
    problem("features[3].to", edges, "buckets: 3, from: 2}");
    problem("features[3].from", edges, "buckets: 3, scale: log}");
    problem("features[3].scale", edges, "buckets: 3, from: 1, to: 9, scale: log1p}");
    problem("features[3].normalize", edges, "normalize: none}");
    problem("features[3].clip", edges, "clip: [1, 2]}");
    problem("features[3].clip", edges, "as: value, normalize: none}");
    problem("features[3].clip", edges, "as: value, clip: [2, 1]}");
    problem("features[3].clip", edges, "as: value, clip: [2]}");
    problem("features[3].edges", edges, "as: value, edges: [1]}");
    problem("features[3].buckets", edges, "as: value, buckets: 3}");
    problem("features[3].size", edges, "size: 3}");
    problem("features[0].as", "admit-after: 1}", "admit-after: 1, as: value}");
    String vector = "edges: [1]}\n  - {name: image, kind: vector, ";
    problem("features[4].size", edges, vector + "dim: 4}");
    problem("features[4].size", edges, vector + "size: 5000}");
    problem("features[4].scale", edges, vector + "size: 5, scale: log}");
    problem("features[4].many", edges, vector + "size: 5, many: true}");
    String cross = "\n  - {name: both, kind: cross, of: [user, ";
    problem("features[5].of", edges, vector + "size: 5}" + cross + "image]}");
    problem("features[4].of", edges, "as: value}" + cross + "price]}");
    problem("crosses.of", edges, "as: value}\ncrosses: {kind: pairs, of: [price, user]}");
  }

  @Test
  void crossesEveryTwoFieldsThatAreNotCrossedYet() {
    String price = "edges: [1, 10, 100]}";
    String declared =
        price + "\n  - {name: both, kind: cross, of: [user, item], dim: 2, expire-after: 9d}";
    Pipeline plain = TestingPipelines.shop();
    Pipeline all = TestingPipelines.shop(price, declared + "\ncrosses: pairs");
    Pipeline some =
        TestingPipelines.shop(
            price, price + "\ncrosses: {kind: pairs, of: [price, user, item], dim: 3}");
    assertThat(all.schema().described())
        .containsExactly(
            "both: cross, dim 2, of item and user",
            "tags*user: cross, dim 2, of tags and user",
            "price*user: cross, dim 2, of price and user",
            "item*tags: cross, dim 2, of item and tags",
            "item*price: cross, dim 2, of item and price",
            "price*tags: cross, dim 2, of price and tags",
            "tags: categorical, dim 4, many",
            "price: numeric, dim 4, edges [1.0, 10.0, 100.0]",
            "user: categorical, dim 8",
            "item: categorical, dim 8");
    assertThat(some.schema().fields().subList(0, 3).stream().map(FeatureField::name))
        .containsExactly("price*user", "item*price", "item*user");
    assertThat(all.impressionFields()).isEqualTo(plain.impressionFields());
    assertThat(some.impressionFields()).isEqualTo(plain.impressionFields());
    assertThat(TestingPipelines.shop(price, price + "\ncrosses: none").fingerprint())
        .isEqualTo(plain.fingerprint());
    assertThat(Set.of(plain.fingerprint(), all.fingerprint(), some.fingerprint())).hasSize(3);
  }

  @Test
  void rowsOfACrossGoWithTheFirstOfItsFields() {
    String features =
        """
        features:
          - {name: user, kind: categorical, expire-after: 9d}
          - {name: city, kind: categorical, expire-after: 7d}
          - {name: price, kind: numeric, buckets: 3}
          - {name: hour, kind: time, part: hour, expire-after: 8d}
          - {name: own, kind: cross, of: [price, city, user], expire-after: 1d}
        crosses: pairs
        """;
    String shop = TestingPipelines.SHOP;
    int from = shop.indexOf("features:");
    String text = shop.substring(0, from) + features + shop.substring(shop.indexOf("models:"));
    Pipeline pipeline = PipelineFile.parse(text, "test");
    assertThat(pipeline.schema().fields().stream().filter(f -> f.cross()))
        .extracting(FeatureField::name, FeatureField::expireAfter)
        .containsExactlyInAnyOrder(
            tuple("own", Duration.ofDays(1)),
            tuple("city*user", Duration.ofDays(7)),
            tuple("price*user", Duration.ofDays(9)),
            tuple("city*price", Duration.ofDays(7)),
            tuple("city*hour", Duration.ofDays(7)),
            tuple("hour*user", Duration.ofDays(8)),
            tuple("hour*price", Duration.ofDays(8)));
  }

  @Test
  void judgesEarlyLearnersByWhatTheySaidAtTheImpression() {
    assertThat(TestingPipelines.shop().training().scoring().at()).isEqualTo(Scoring.At.LABEL);
    String early = "{correction: es-dfm, orphan-wait";
    assertThat(TestingPipelines.shop("{orphan-wait", early).training().scoring().at())
        .isEqualTo(Scoring.At.IMPRESSION);
    String click = "{name: click, kind: binary,";
    String refused =
        TestingPipelines.SHOP
            .replace(click, click + " correction: window,")
            .replace("{window: 8000}", "{window: 8000, at: label}");
    assertThatThrownBy(() -> PipelineFile.parse(refused, "p.yaml"))
        .isInstanceOf(InvalidSettingsException.class)
        .hasMessageContaining("training.scoring.at: 'label'; allowed: impression");
  }

  @Test
  void reportsFaultsOfMeaningBesideFaultsOfForm() {
    String broken =
"""
pipeline: test
kafka:
  topics: {impressions: "a b", metrics: models, dead-letters: dead.x, examples: dead_x, clik: c}
  properties: {isolation.level: read_uncommitted}
tasks:
  - {name: click, kind: binary, window: 0s, transform: log1p}
  - {name: models, kind: binary, after: clik, window: -5m}
  - {name: revenue, kind: continuous, window: 1h, aggregate: summ}
labels: {holdout: 1.0}
features:
  - {name: user, kind: categorical, dim: -4, buckets: 3}
  - {name: price, kind: numeric, buckets: 3, from: 5, to: 2, many: true}
  - {name: price, kind: numeric, edges: [1, x, 0]}
models:
  - {name: "a/b", kind: htlnt}
  - {name: "", kind: esmm, tower: [0]}
  - {name: pair, kind: adaftr, identity: [usr]}
  - {name: Pair, kind: tafe, reduction: 0}
training: {scoring: {from: 2026-02-01, to: 2026-01-01, watch: {field: prices}}}
publishing: {keep: 1, every: never}
""";
    InvalidSettingsException e =
        catchThrowableOfType(
            InvalidSettingsException.class, () -> PipelineFile.parse(broken, "p.yaml"));
    assertThat(e.problems().stream().map(p -> p.path()))
        .containsExactlyInAnyOrder(
            "kafka.topics.impressions",
            "kafka.topics.metrics",
            "kafka.topics.examples",
            "kafka.topics.clik",
            "kafka.properties.isolation.level",
            "tasks[0].window",
            "tasks[0].transform",
            "tasks[1].name",
            "tasks[1].after",
            "tasks[1].window",
            "tasks[2].aggregate",
            "labels.holdout",
            "features[0].dim",
            "features[0].buckets",
            "features[1].to",
            "features[1].many",
            "features[2].name",
            "features[2].edges[1]",
            "models[0].kind",
            "models[1].name",
            "models[1].tower",
            "models[2].identity",
            "models[3].name",
            "models[3].reduction",
            "training.scoring.to",
            "training.scoring.watch.field",
            "publishing.keep",
            "publishing.every");
    assertThat(e.getMessage())
        .contains("models[0].kind: 'htlnt'")
        .contains("did you mean 'htlnet'?")
        .contains("'clik'; allowed: one of impression, click; did you mean 'click'?")
        .contains("models[2].identity: 'usr'; allowed: one of user, price, price");
  }

  @Test
  void aDeadlineIsATimeOrALength() {
    String window = "binary, window: 10m";
    String deadline = window + ", deadline: ";
    assertThat(TestingPipelines.shop().tasks().get(0).deadline().present()).isFalse();
    for (String good : List.of("{at: end}", "{after: n, unit: 1d, grace: 2h}", "{}")) {
      Pipeline pipeline = TestingPipelines.shop(window, deadline + good);
      assertThat(pipeline.fingerprint().equals(TestingPipelines.shop().fingerprint()))
          .as("what says nothing changes nothing: %s", good)
          .isEqualTo(good.equals("{}"));
      assertThat(pipeline.tasks().get(0).deadline().present()).isEqualTo(!good.equals("{}"));
    }
    problem("tasks[0].deadline.after", window, deadline + "{at: end, after: n, unit: 1d}");
    problem("tasks[0].deadline.unit", window, deadline + "{after: n}");
    problem("tasks[0].deadline.unit", window, deadline + "{after: n, unit: 0s}");
    problem("tasks[0].deadline.unit", window, deadline + "{at: end, unit: 1d}");
    problem("tasks[0].deadline.at", window, deadline + "{at: ''}");
    problem("tasks[0].deadline.grace", window, deadline + "{grace: 1d}");
    problem("tasks[0].deadline.field", window, deadline + "{field: end}");
    problem("tasks[0].deadline", window, deadline + "check_out");
  }

  @Test
  void aHazardWantsReportedNoes() {
    problem(
        "tasks[0].correction", "binary, window: 10m", "binary, window: 10m, correction: hazard");
    String explicit = "binary, window: 10m, negatives: explicit";
    Pipeline pipeline =
        TestingPipelines.shop("binary, window: 10m", explicit + ", correction: hazard");
    assertThat(pipeline.training().scoring().at()).isEqualTo(Scoring.At.IMPRESSION);
  }

  @Test
  void takesNoNameThatHasAnotherUseOrIsIllegal() {
    for (String name :
        List.of("models", "impressions", "impression", "examples", "example", "dead-letters")) {
      problem("tasks[0].name", "name: click", "name: " + name);
    }
    for (String name : List.of("''", "a/b", "a.b", "-a", "a b", "\u00e9", "..", "x".repeat(64))) {
      problem("models[1].name", "name: plain", "name: " + name);
    }
    String longest = "x".repeat(249);
    for (String topic : List.of("''", ".", "..", "a/b", "a b", "\u00e9", "__x", longest + "x")) {
      problem("kafka.topics.click", "tasks:", "kafka: {topics: {click: " + topic + "}}\ntasks:");
    }
    assertThat(
            TestingPipelines.shop(
                    "tasks:",
                    "kafka: {topics: {click: c, purchase: c, models: " + longest + "}}\ntasks:")
                .feedbackTopics())
        .as("tasks may share a topic")
        .containsKeys("c", "revenue");
    for (String brokers : List.of("''", "host", "host:0", "host:99999", "a:1,,b:2", "a:1;b:2")) {
      problem("kafka.bootstrap", "tasks:", "kafka: {bootstrap: \"" + brokers + "\"}\ntasks:");
    }
    for (String start :
        List.of("''", "first", "2026-01-31", "2026-01-31T00:00:00", "1767225600000")) {
      problem("kafka.start", "tasks:", "kafka: {start: " + start + "}\ntasks:");
    }
    Pipeline begun =
        TestingPipelines.shop("tasks:", "kafka: {start: 2026-01-31T01:00:00+01:00}\ntasks:");
    assertThat(begun.kafka().startTime()).contains(Instant.parse("2026-01-31T00:00:00Z"));
    assertThat(begun.fingerprint()).isEqualTo(TestingPipelines.shop().fingerprint());
    assertThat(begun.withStart("latest").kafka().startTime()).isEmpty();
    for (String brokers : List.of("a:1, b.c:65535", "[::1]:9092", "SASL_SSL://k-1:9093")) {
      assertThat(TestingPipelines.shop("tasks:", "kafka: {bootstrap: \"" + brokers + "\"}\ntasks:"))
          .isNotNull();
    }
  }

  @Test
  void showsNoSecret() {
    String secret = "hush-hush";
    String properties =
        "{sasl.jaas.config: 'x password=\"" + secret + "\";', ssl.key.password: " + secret + "}";
    String kafka = "kafka: {properties: " + properties + "}\ntasks:";
    Pipeline pipeline = TestingPipelines.shop("tasks:", kafka);
    assertThat(pipeline.kafka().properties()).containsEntry("ssl.key.password", secret);
    assertThat(pipeline.toString()).contains("ssl.key.password").doesNotContain(secret);
    assertThat(pipeline.fingerprint()).isEqualTo(TestingPipelines.shop().fingerprint());
    for (String broken :
        List.of(
            kafka.replace("ssl.key.password: " + secret, "ssl.key.password: [" + secret + "]"),
            "kafka: {properties: 'sasl.jaas.config=" + secret + "'}\ntasks:",
            "kafka: {properties: [" + secret + "]}\ntasks:",
            "kafka: {bootstrap: 'me:" + secret + "@host:9092'}\ntasks:",
            "kafka: " + secret + "\ntasks:",
            "kafka: [{properties: {ssl.key.password: " + secret + "}}]\ntasks:",
            "kafka: {topics: {ssl.key.password: {x: " + secret + "}}}\ntasks:",
            "kafka: {topics: ['password=" + secret + "']}\ntasks:",
            "kafka: {format: 'x password=\"" + secret + "\";'}\ntasks:",
            "kafka: {properties: {'x required password=\"" + secret + "\";': {}}}\ntasks:",
            "kafka: {'x required password=\"" + secret + "\";': 1}\ntasks:",
            "labels: {ssl.keystore.password: "
                + secret
                + ", holdout: 'token: "
                + secret
                + "'}\ntasks:",
            "labels: {holdout: 'https://me:" + secret + "@host/x'}\ntasks:",
            "labels: {holdout: '-----BEGIN EC PRIVATE KEY-----" + secret + "'}\ntasks:",
            "kafka:\n  properties:\n    sasl.jaas.config: \"" + secret + "\n: {\ntasks:",
            "kafka:\n  properties:\n    ssl.key.password: %" + secret + "\n  - x\ntasks:")) {
      assertThatThrownBy(() -> TestingPipelines.shop("tasks:", broken))
          .as(broken)
          .isInstanceOf(InvalidSettingsException.class)
          .message()
          .doesNotContain(secret);
    }
  }

  private static void problem(String path, String part, String replacement) {
    assertThatThrownBy(() -> TestingPipelines.shop(part, replacement))
        .isInstanceOfSatisfying(
            InvalidSettingsException.class,
            e -> assertThat(e.problems().get(0).path()).isEqualTo(path));
  }

  @Test
  void saysWhereTheYamlBreaks() {
    assertThatThrownBy(() -> PipelineFile.parse("pipeline: [", "p.yaml"))
        .isInstanceOf(InvalidSettingsException.class)
        .hasMessageContaining("line ")
        .hasMessageContaining("valid YAML");
  }

  @Test
  void everyShippedPipelineIsValid() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("..", "pipelines"))) {
      List<Path> all = files.toList();
      assertThat(all).hasSizeGreaterThanOrEqualTo(2);
      for (Path file : all) {
        assertThat(PipelineFile.read(file).models()).as("%s", file).isNotEmpty();
      }
    }
  }
}
