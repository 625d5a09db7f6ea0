package dev.freshet.local.sample;

import static org.assertj.core.api.Assertions.as;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.local.TestingCommand;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code ./freshet check --events}, on files. */
class CheckEventsTest {

  private static final long START = 1767225600000L;
  private static final int SHOWN = 3000;
  private static final String PIPELINE =
      """
      pipeline: own
      tasks:
        - {name: open, kind: binary, window: 1m}
        - {name: buy, kind: binary, after: open, window: 1h}
        - {name: paid, kind: continuous, after: buy, window: 10m}
      features:
        - {name: user_id, kind: categorical}
        - {name: prise, kind: numeric}
        - {name: depth, kind: numeric, buckets: 8, from: 0, to: 10}
      models: [{name: main, kind: shared-bottom}]
      """;

  @TempDir private Path folder;
  private final List<String> shown = new ArrayList<>();
  private final List<String> answered = new ArrayList<>();

  /** One in five is opened after up to 100 s, half of these bought after up to 1,000 s more. */
  @BeforeEach
  void events() {
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < SHOWN; i++) {
      long time = START + i * 1000L;
      shown.add(
          String.format(
              Locale.ROOT,
              "{\"impression_id\":\"i%d\",\"event_time\":%d,\"features\":{\"user_id\":%d,"
                  + "\"price\":%.2f,\"depth\":%d,\"code\":%d,\"brand\":\"b%d\",\"tags\":[\"t%d\"],"
                  + "\"topics\":{\"news\":0.5},\"image\":[0.5,%.3f,-1.0],\"shop\":\"only\","
                  + "\"trace\":\"x%d\",\"device\":{\"os\":\"a\"}}}",
              i,
              time,
              random.nextInt(900),
              random.nextDouble(1, 90),
              random.nextInt(20),
              random.nextInt(5),
              random.nextInt(9),
              random.nextInt(4),
              random.nextDouble(),
              i));
      if (i % 5 == 0) {
        long opened = time + i % 100 * 1000L;
        answered.add(feedback(i, "open", opened, ""));
        if (i % 10 == 0) {
          long bought = opened + i % 1000 * 1000L;
          answered.add(feedback(i, "buy", bought, ""));
          answered.add(feedback(i, "paid", bought, ",\"value\":" + (3.5 + i % 7)));
        }
      }
    }
    answered.sort(
        Comparator.comparing(line -> line.replaceFirst(".*\"event_time\":(\\d+).*", "$1")));
  }

  private static String feedback(int impression, String kind, long time, String value) {
    return "{\"impression_id\":\"i%d\",\"event_id\":\"%s%d\",\"kind\":\"%s\",\"event_time\":%d%s}"
        .formatted(impression, kind, impression, kind, time, value);
  }

  private String file(String name, List<String> lines) throws IOException {
    return Files.write(folder.resolve(name), lines).toString();
  }

  private String pipeline() throws IOException {
    return Files.writeString(folder.resolve("own.yaml"), PIPELINE).toString();
  }

  @Test
  void aPipelineIsMadeOfWhatThereIs() throws Exception {
    Path made = folder.resolve("My Shop.yaml");
    TestingCommand ran =
        TestingCommand.run(
            "check",
            "--events",
            file("i.jsonl", shown),
            file("f.jsonl", answered),
            "--write",
            made.toString());
    assertThat(ran.err()).isEmpty();
    assertThat(ran.code()).isZero();
    assertThat(ran.out())
        .contains("./freshet replay --pipeline " + made)
        .contains("3,000 impressions from 2026-01-01T00:00:00Z to 2026-01-01T00:49:59Z");
    assertThat(ran.out().lines().filter(line -> !line.contains(folder.toString())))
        .allMatch(line -> line.length() < 80);
    assertThat(Files.readString(made))
        .contains("pipeline: my-shop\n")
        .contains("- {name: open, kind: binary, after: impression, window: 2m}  # 99 % come within")
        .contains("- {name: buy, kind: binary, after: open, window: 20m}")
        .contains("- {name: paid, kind: continuous, after: buy, window: 1m}")
        .contains("- {name: user_id, kind: categorical}")
        .contains("- {name: price, kind: numeric}")
        .contains("- {name: depth, kind: categorical}")
        .contains("- {name: code, kind: categorical}")
        .contains("- {name: tags, kind: categorical, many: true}")
        .contains("# topics: left out: always 'news'")
        .contains("- {name: image, kind: vector, size: 3}")
        .contains("# shop: left out: always 'only'")
        .contains("# trace: left out: has a new value in each impression")
        .contains("# device: left out: has objects within");
    Pipeline read = PipelineFile.read(made);
    assertThat(read.features()).hasSize(7);
  }

  @Test
  void aPipelineAndEventsThatDoNotFitAreTold() throws Exception {
    shown.set(7, "{broken");
    shown.add(shown.get(0));
    answered.set(0, feedback(0, "like", START, ""));
    answered.add(feedback(99_999, "open", START, ""));
    TestingCommand ran =
        TestingCommand.run(
            "check",
            pipeline(),
            "--events",
            file("i.jsonl", shown),
            file("f.jsonl", answered),
            "--json");
    assertThat(ran.err()).isEmpty();
    assertThat(ran.code()).isEqualTo(3);
    JsonNode found = new ObjectMapper().readTree(ran.out());
    JsonNode impressions = found.get("sources").get(0);
    assertThat(impressions.get("messages").asInt()).isEqualTo(3001);
    assertThat(impressions.get("impressions").asInt()).isEqualTo(3000);
    assertThat(impressions.at("/refused/malformed-json/count").asInt()).isOne();
    assertThat(impressions.at("/refused/malformed-json/sample").asText()).startsWith("line 8: ");
    assertThat(found.at("/sources/1/refused/unknown-kind/sample").asText())
        .isEqualTo("line 1: kind is 'like'; allowed: one of open, buy, paid");
    assertThat(found.get("impressions").asInt()).isEqualTo(2999);
    assertThat(found.get("repeated").asInt()).isOne();
    JsonNode open = found.at("/tasks/open");
    assertThat(open.get("events").asInt()).isEqualTo(600);
    assertThat(open.get("joined").asInt()).isEqualTo(599);
    assertThat(open.at("/delayMillis/p50").asInt()).isEqualTo(50_000);
    assertThat(open.get("withinWindow").asDouble()).isEqualTo(0.649, within());
    assertThat(found.at("/tasks/buy/withoutParent").asInt()).isOne();
    assertThat(found.at("/fields/price/kind").asText()).isEqualTo("not used");
    assertThat(found.at("/fields/price/most").asDouble()).isBetween(80.0, 90.0);
    assertThat(found.get("problems"))
        .singleElement()
        .satisfies(
            one -> {
              assertThat(one.get("code").asText()).isEqualTo("absent-field");
              assertThat(one.get("message").asText()).contains("prise (did you mean 'price'?)");
            });
    List<String> advice = new ArrayList<>();
    found.get("advice").forEach(one -> advice.add(one.asText()));
    assertThat(advice)
        .anyMatch(one -> one.matches("depth: 4\\d % of its numbers are not between `from` 0.0.*"))
        .anyMatch(one -> one.startsWith("brand is in 100 % of the impressions and not in the"))
        .anyMatch(one -> one.startsWith("open: 35 % of its events come after its window of 1m"))
        .anyMatch(
            one -> one.equals("ids of impressions that were there before: 1; the first counts"))
        .noneMatch(one -> one.startsWith("price") || one.startsWith("shop is in"));
  }

  private static Offset<Double> within() {
    return Offset.offset(0.002);
  }

  private List<String> problems(String... more) throws Exception {
    List<String> command =
        new ArrayList<>(
            List.of(
                "check",
                pipeline(),
                "--json",
                "--events",
                file("i.jsonl", shown),
                file("f.jsonl", answered)));
    command.addAll(List.of(more));
    JsonNode found =
        new ObjectMapper().readTree(TestingCommand.run(command.toArray(String[]::new)).out());
    List<String> problems = new ArrayList<>();
    found.get("problems").forEach(one -> problems.add(one.toString()));
    return problems;
  }

  @Test
  void whatMakesARunNoSuccessIsAProblem() throws Exception {
    shown.replaceAll(line -> line.replace("\"price\"", "\"prise\""));
    assertThat(problems()).isEmpty();
    List<String> ordered = List.copyOf(shown);
    Collections.reverse(shown.subList(0, 300));
    assertThat(problems())
        .singleElement(as(InstanceOfAssertFactories.STRING))
        .contains("late-impressions")
        .contains("up to 4m 59s, and may be `late`. Is it in the order of time?");
    shown.clear();
    ordered.forEach(line -> shown.add(line.replace("\"features\"", "\"feature\"")));
    assertThat(problems())
        .singleElement(as(InstanceOfAssertFactories.STRING))
        .contains("the first impression has impression_id, event_time, feature")
        .contains("is 'feature' meant to be 'features'?");
    shown.clear();
    ordered.forEach(
        line -> shown.add(line.replace("\"event_time\":17672", "\"event_time\":17673")));
    assertThat(problems())
        .hasSize(1)
        .first(as(InstanceOfAssertFactories.STRING))
        .contains("before-parent")
        .contains("open: 100 % of its events are, by their clock, before what they follow from");
  }

  @Test
  void kindsThatAreRefusedOrMisspeltAreNoTasks() throws Exception {
    answered.replaceAll(
        line ->
            line.contains("\"kind\":\"paid\"")
                ? line.replaceFirst("\"value\":[0-9.]+", "\"value\":\"3 EUR\"")
                : line);
    answered.add(feedback(7, "Open ", START + 7_200_000, ""));
    Path made = folder.resolve("made.yaml");
    TestingCommand ran =
        TestingCommand.run(
            "check",
            "--events",
            file("i.jsonl", shown),
            file("f.jsonl", answered),
            "--write",
            made.toString());
    assertThat(ran.code()).isZero();
    assertThat(ran.out()).contains("25 % of").doesNotContain("./freshet replay");
    assertThat(Files.readString(made))
        .contains("# 'Open ' of 1 impressions: left out: nearly the name of another")
        .contains("# 'paid': left out: all of it is refused:\n")
        .contains("\n  #   wrong-type: value is '\"3 EUR\"'; allowed: a number");
  }

  @Test
  void feedbackThatCannotBeATaskMakesNoFile() throws Exception {
    answered.replaceAll(
        line -> line.replaceFirst("\"kind\":\"[a-z]+\"", "\"kind\":\"Order Done\""));
    Path made = folder.resolve("made.yaml");
    TestingCommand ran =
        TestingCommand.run(
            "check",
            "--events",
            file("i.jsonl", shown),
            file("f.jsonl", answered),
            "--write",
            made.toString());
    assertThat(ran.code()).isEqualTo(2);
    assertThat(ran.err())
        .contains("--events: no kind of feedback can be the first task:\n")
        .contains("# 'Order Done' of 600 impressions: left out: tasks are called by lower-case");
    assertThat(made).doesNotExist();
  }

  @Test
  void ofASampleOnlyWhatItsImpressionsCoverIsJoined() throws Exception {
    TestingCommand ran =
        TestingCommand.run(
            "check",
            pipeline(),
            "--events",
            file("i.jsonl", shown),
            file("f.jsonl", answered),
            "--sample",
            "1000",
            "--json");
    JsonNode found = new ObjectMapper().readTree(ran.out());
    assertThat(found.at("/sources/0/whole").asBoolean()).isFalse();
    JsonNode open = found.at("/tasks/open");
    assertThat(open.get("events").asInt()).isGreaterThan(300);
    assertThat(open.get("covered").asInt()).isBetween(150, 210);
    assertThat(open.get("joined").asInt()).isBetween(150, 210);
  }

  @Test
  void eventsOfAnotherLayoutAreNoSuccess() throws Exception {
    String flat = file("flat.jsonl", List.of("{\"user\":\"u\",\"ts\":1767225600000}"));
    TestingCommand ran = TestingCommand.run("check", pipeline(), "--events", flat);
    assertThat(ran.code()).isEqualTo(3);
    assertThat(ran.out())
        .contains("none of them an event; refused: 100 %")
        .contains("missing-field: 1, the first at\n    line 1: impression_id is missing")
        .contains("no-impressions: no message is an impression that is accepted");
    Path made = folder.resolve("made.yaml");
    TestingCommand drafted =
        TestingCommand.run("check", "--events", flat, "--write", made.toString());
    assertThat(drafted.code()).isEqualTo(2);
    assertThat(drafted.err())
        .contains("--events: no message is an impression")
        .contains("line 1: impression_id is missing");
    assertThat(made).doesNotExist();
  }

  @Test
  void wrongUsageIsTold() throws Exception {
    String events = file("i.jsonl", shown);
    assertThat(TestingCommand.run("check").err())
        .contains("a pipeline FILE is missing; to have one made: --events FILE... --write FILE");
    assertThat(TestingCommand.run("check", "--events", events).err())
        .contains("a pipeline FILE is missing");
    assertThat(TestingCommand.run("check", pipeline(), "--json").err())
        .contains("--events is missing");
    assertThat(TestingCommand.run("check", "--events", events, "--write", pipeline()).err())
        .contains("is there already; allowed: a new file");
    assertThat(
            TestingCommand.run("check", pipeline(), "--events", events, "--write", "x.yaml").err())
        .contains("--write: a pipeline file is given too");
    assertThat(TestingCommand.run("check", "--events", "clicks", "--write", "x.yaml").err())
        .contains("'clicks': no such file; if it is a topic, --bootstrap says where");
    assertThat(TestingCommand.run("check", pipeline(), "--events", "no.jsonl").err())
        .contains("--events: 'no.jsonl': no such file");
    assertThat(TestingCommand.run("check", pipeline(), "--events", events, "--sample", "0").err())
        .contains("--sample: '0'; allowed: 1 or more");
  }
}
