package dev.freshet.local.commands;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.experiments.importers.Importers;
import dev.freshet.replica.server.Token;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.Model.CommandSpec;

class FreshetCommandTest {

  @TempDir private Path folder;

  /** Exit code and what was printed. */
  private record Ran(int code, String out, String err) {}

  private static Ran run(String... args) {
    PrintStream out = System.out;
    PrintStream err = System.err;
    ByteArrayOutputStream outBytes = new ByteArrayOutputStream();
    ByteArrayOutputStream errBytes = new ByteArrayOutputStream();
    try {
      System.setOut(new PrintStream(outBytes, true, StandardCharsets.UTF_8));
      System.setErr(new PrintStream(errBytes, true, StandardCharsets.UTF_8));
      int code = FreshetCommand.run(args);
      return new Ran(
          code,
          outBytes.toString(StandardCharsets.UTF_8),
          errBytes.toString(StandardCharsets.UTF_8));
    } finally {
      System.setOut(out);
      System.setErr(err);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "demo",
        "device",
        "replay",
        "experiment",
        "tune",
        "import",
        "check",
        "models",
        "models list",
        "models follow",
        "models export",
        "predict",
        "serve",
        "simulate",
        "topics",
        "topics create",
        "topics check"
      })
  void everyCommandHasHelp(String command) {
    Ran ran = run((command + " --help").trim().split(" "));
    assertThat(ran.code).isZero();
    assertThat(ran.out).contains("Usage:").doesNotContain("null");
  }

  /** All commands, with those of commands. */
  private static Stream<CommandSpec> below(CommandSpec of) {
    return Stream.concat(
        Stream.of(of), of.subcommands().values().stream().flatMap(c -> below(c.getCommandSpec())));
  }

  private static Stream<CommandSpec> commands() {
    return below(FreshetCommand.line().getCommandSpec());
  }

  /** Where lines are broken, words are whole, and what goes on is indented. */
  @ParameterizedTest
  @MethodSource("commands")
  void helpIsNotCutInTheMiddleOfWordsOrSentences(CommandSpec command) {
    String help = command.commandLine().getUsageMessage();
    List<String> words = List.of(help.split("\\s+"));
    List<String> texts = new ArrayList<>(List.of(command.usageMessage().description()));
    command.subcommands().values().stream()
        .map(below -> below.getCommandSpec().usageMessage().description())
        .filter(description -> description.length > 0)
        .forEach(description -> texts.add(description[0]));
    command.args().stream()
        .filter(arg -> !arg.hidden())
        .forEach(
            arg -> {
              assertThat(arg.description()).as(arg.paramLabel()).hasSize(1);
              texts.add(arg.description()[0]);
            });
    for (String text : texts) {
      assertThat(text).endsWith(".");
      assertThat(words).containsAll(List.of(text.split("\\s+")));
    }
    assertThat(help.lines()).allSatisfy(line -> assertThat(line.length()).isLessThanOrEqualTo(80));
  }

  @Test
  void importListsEveryDataSet() {
    String help = run("import", "--help").out;
    for (Importers each : Importers.values()) {
      assertThat(help).contains("\n  " + each.label() + " ");
    }
  }

  @Test
  void aMisspeltOptionIsNamedWhateverElseIsMissingBecauseOfIt() {
    assertThat(run("replay", "--piepline", "x").err)
        .isEqualToIgnoringNewLines("Unknown option '--piepline'; did you mean '--pipeline'?");
    assertThat(run("tune", "--pipeline", "x", "--impresions=i", "--fedback", "f").err.lines())
        .containsExactly(
            "Unknown option '--impresions'; did you mean '--impressions'?",
            "Unknown option '--fedback'; did you mean '--feedback'?");
    assertThat(run("models", "export", "--outt", "x").err).contains("did you mean '--out'?");
    assertThat(run("replay", "--pipeline", "x").err).contains("Missing required option");
    assertThat(run("demo", "-x").err).isEqualToIgnoringNewLines("Unknown option '-x'");
    assertThat(run("demo", "--seed", "-1", "--rate", "-1").err).doesNotContain("Unknown option");
  }

  @Test
  void aFileWhereAFolderBelongsIsNamedWithItsOptionAndTheOtherWayRound() throws Exception {
    Path file = Files.writeString(folder.resolve("some.jsonl"), "{}\n");
    String a = file.toString();
    String shop = "../pipelines/shop.yaml";
    String[][] wantFolder = {
      {"--data-dir", "replay", "--pipeline", shop, "--impressions", a, "--feedback", a},
      {"--data-dir", "demo"},
      {"--out", "experiment", "--file", a},
      {"--out", "import", "hotel", a},
      {"--state-dir", "serve", "--pipeline", shop}
    };
    for (String[] command : wantFolder) {
      for (String path : List.of(a, a + "/below")) {
        Ran ran = run(with(command, path));
        assertThat(ran.code).as(ran.err).isEqualTo(2);
        assertThat(ran.err)
            .startsWith(command[0] + ": '" + path)
            .endsWith("; allowed: a folder" + System.lineSeparator());
      }
    }
    String[][] wantFile = {
      {"--pipeline", "demo"},
      {"--pipeline", "replay", "--impressions", a, "--feedback", a},
      {"--examples-out", "replay", "--pipeline", shop, "--impressions", a, "--feedback", a},
      {"--pipeline", "tune", "--impressions", a, "--feedback", a},
      {"--out", "tune", "--pipeline", shop, "--impressions", a, "--feedback", a},
      {"--file", "experiment"},
      {"--pipeline", "topics", "check"},
      {"--pipeline", "serve"},
      {"--out", "models", "export"},
      {"--graph", "models", "export", "--out", a},
      {"--impressions", "predict"}
    };
    for (String[] command : wantFile) {
      Ran ran = run(with(command, folder.toString()));
      assertThat(ran.code).as(ran.err).isEqualTo(2);
      assertThat(ran.err)
          .isEqualToIgnoringNewLines(
              command[0] + ": '" + folder + "' is a folder; allowed: a file");
    }
    assertThat(run("check", folder.toString()).err).contains("is a folder; allowed: a file");
    assertThat(run("predict", "--impressions", a + "x").err)
        .isEqualToIgnoringNewLines("--impressions: '" + a + "x': no such file");
  }

  /** A command, written behind its option, with that option at its end. */
  private static String[] with(String[] command, String value) {
    return Stream.concat(Arrays.stream(command).skip(1), Stream.of(command[0], value))
        .toArray(String[]::new);
  }

  @Test
  void helpSaysOfACommandWhatItsOptionSays() {
    assertThat(run("help").out).isEqualTo(run("--help").out).contains("tune", "help");
    for (String command : List.of("tune", "models", "models export", "topics create", "help")) {
      Ran ran = run(("help " + command).split(" "));
      assertThat(ran.code).as(command).isZero();
      assertThat(ran.out)
          .isEqualTo(run((command + " --help").split(" ")).out)
          .contains("Usage: freshet " + command);
    }
    assertThat(run("models", "help", "export").out).isEqualTo(run("models", "export", "-h").out);
  }

  @Test
  void whatIsMisspeltIsNamedWithWhatWasMeant() {
    assertThat(run("help", "tun").err).contains("'tun' is no command of freshet", "'tune'?");
    assertThat(run("help", "models", "exprt").err).contains("of freshet models", "'export'?");
    assertThat(run("help", "tune", "x").err).contains("'x' is no command of freshet tune");
    assertThat(run("tun").err).contains("did you mean 'tune'?");
    assertThat(run("demo", "--evnts", "3").err).contains("did you mean '--events'?");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "help nonsense",
        "help tune nonsense",
        "tun",
        "demo --bogus",
        "demo --for soon",
        "demo --events 0",
        "demo --rate -1",
        "demo --pipeline nofile.yaml",
        "demo --pipeline ../pipelines/hotel.yaml",
        "demo --click-rate 2",
        "check nofile.yaml",
        "replay --pipeline p.yaml",
        "replay --pipeline p.yaml --impressions nofile --feedback nofile",
        "tune --pipeline ../pipelines/shop.yaml --impressions nofile --feedback nofile",
        "tune --pipeline p --impressions ../pom.xml --feedback ../pom.xml --candidates 1",
        "tune --pipeline ../pipelines/shop.yaml --impressions ../pom.xml --feedback ../pom.xml"
            + " --out ../pom.xml",
        "tune --pipeline ../pipelines/shop.yaml --impressions ../pom.xml --feedback ../pom.xml"
            + " --out target/x.yaml --task nobody",
        "tune --pipeline ../pipelines/shop.yaml --impressions ../pom.xml --feedback ../pom.xml"
            + " --out target/x.yaml",
        "import moon nofile --out x",
        "import hotel nofile --out x",
        "models export --out x --version one",
        "models list --pipeline ../pipelines/shop.yaml --model nobody",
        "predict --impressions nofile",
        "models list --bootstrap nowhere",
        "topics check --pipeline ../pipelines/shop.yaml --bootstrap host:port",
        "topics create --pipeline ../pipelines/shop.yaml --partitions 0",
        "topics create --pipeline nofile.yaml",
        "topics",
        "models"
      })
  void wrongUsageIsOneClearLineAndCodeTwo(String command) {
    Ran ran = run(command.split(" "));
    assertThat(ran.code).as(ran.err).isEqualTo(2);
    assertThat(ran.err.trim().lines()).hasSize(1);
    assertThat(ran.out).isEmpty();
  }

  @Test
  void anUnknownOptionBehindFilesIsNotOneOfThem() {
    Ran ran =
        run(
            "replay",
            "--pipeline",
            "p",
            "--impressions",
            "i",
            "--feedback",
            "f",
            "--examples",
            "x");
    assertThat(ran.code).isEqualTo(2);
    assertThat(ran.err)
        .isEqualToIgnoringNewLines("Unknown option '--examples'; did you mean '--examples-out'?");
  }

  @Test
  void anImportThatMadeNothingIsNoSuccess() throws Exception {
    Path empty = folder.resolve("events.csv");
    Files.writeString(empty, "timestamp,visitorid,event,itemid,transactionid\n");
    Ran ran = run("import", "retailrocket", empty.toString(), "--out", folder + "/out");
    assertThat(ran.code).isEqualTo(3);
    assertThat(ran.err).contains("Problem: there are no impressions");
  }

  @Test
  void checkReportsEveryProblemOfAFile() throws Exception {
    assertThat(run("check", "../pipelines/shop.yaml").out).contains("pipeline shop is valid");
    Path broken = folder.resolve("broken.yaml");
    Files.writeString(broken, "pipeline: x\ntasks: []\nfeatures: 3\nmodels: []\nmore: 1\n");
    Ran ran = run("check", broken.toString());
    assertThat(ran.code).isEqualTo(2);
    assertThat(ran.err)
        .contains("4 problems")
        .contains("tasks: '[]'")
        .contains("features: '3'")
        .contains("more: 'more'");
  }

  /** Where everybody can read it, it is no secret; wherever it comes from, it is not shown. */
  @Test
  void theTokenOfAServerIsNeverOnTheCommandLineNorTheScreen() throws Exception {
    String pipeline = "../pipelines/shop.yaml";
    String secret = "my-secret";
    for (String given : List.of("--token " + secret, "--token=" + secret)) {
      Ran ran = run(("serve --pipeline " + pipeline + " " + given).split(" "));
      assertThat(ran.code).isEqualTo(2);
      assertThat(ran.err).contains("allowed: --token-file").contains("FRESHET_TOKEN");
      assertThat(ran.out + ran.err).doesNotContain(secret);
    }
    Path file = folder.resolve("token");
    Ran missing = run("serve", "--pipeline", pipeline, "--token-file", file.toString());
    assertThat(missing.code).isEqualTo(2);
    assertThat(missing.err).contains("allowed: a file that can be read");
    for (String bad :
        List.of("", "\n", "tiny", "two\nlines of it", "\u00e4\u00f6\u00fc is not in headers")) {
      Files.writeString(file, bad);
      Ran ran = run("serve", "--pipeline", pipeline, "--token-file", file.toString());
      assertThat(ran.code).as(bad).isEqualTo(2);
      assertThat(ran.err).contains("--token-file: allowed: ");
      assertThat(bad.isBlank() || !ran.err.contains(bad)).isTrue();
    }
    assertThat(Token.of(" a-good-one \n").toString()).isEqualTo("***");
    assertThat(run("serve", "--pipeline", pipeline, "--max-connections", "50").err)
        .contains("--max-connections: '50'; allowed: above concurrency and queue together");
  }

  @Test
  void malformedSecurityIsToldBesideEverythingElseAndNotShown() throws Exception {
    Path broken = folder.resolve("secrets.yaml");
    Files.writeString(
        broken,
        Files.readString(Path.of("../pipelines/shop.yaml"))
            .replace("pipeline: shop", "pipeline: Shop")
            .replace("kafka:\n", "kafka:\n  properties: {sasl.jaas.config: 'user hush'}\n"));
    for (String[] command :
        new String[][] {
          {"check", broken.toString()},
          {"models", "list", "--pipeline", broken.toString()},
          {"topics", "create", "--pipeline", broken.toString()},
          {"demo", "--pipeline", broken.toString()}
        }) {
      Ran ran = run(command);
      assertThat(ran.code).isEqualTo(2);
      assertThat(ran.err)
          .contains("2 problems")
          .contains("pipeline: 'Shop'")
          .contains("kafka.properties.sasl.jaas.config: '(not shown)'")
          .doesNotContain("hush");
    }
  }

  @ParameterizedTest
  @CsvSource({"replay, --data-dir", "tune, --out"})
  void filesInEachOthersPlaceStartNothing(String command, String target) throws Exception {
    Path shown = folder.resolve("shown.jsonl");
    Path answered = folder.resolve("answered.jsonl");
    Files.writeString(
        shown,
        "{\"impression_id\":\"i\",\"event_time\":1767225600000,\"features\":{\"user_id\":\"u\"}}\n");
    Files.writeString(
        answered,
        "{\"impression_id\":\"i\",\"event_id\":\"e\",\"kind\":\"click\",\"event_time\":1767225600000}\n");
    Path data = folder.resolve("data");
    Ran ran =
        run(
            command,
            "--pipeline",
            Path.of("..", "pipelines", "shop.yaml").toString(),
            "--impressions",
            answered.toString(),
            "--feedback",
            shown.toString(),
            target,
            data.toString());
    assertThat(ran.code()).isEqualTo(2);
    assertThat(ran.err()).contains("in each other's place?").contains("Nothing was started");
    assertThat(Files.isRegularFile(data)).as("a tuned file").isFalse();
    assertThat(data.resolve("run.json")).doesNotExist();
    assertThat(data.resolve("kafka")).doesNotExist();
  }

  @Test
  void anExperimentOfWhichEveryTrialDivergesIsNoSuccess() throws Exception {
    Path file = folder.resolve("experiment.yaml");
    Files.writeString(
        file,
        """
        experiment: wild
        data: {kind: clicks, clicks: 2000, days: 2}
        seeds: [1]
        metrics: [buys.auc]
        pipeline:
          pipeline: wild
          tasks: [{name: buys, kind: binary, window: 1h}]
          features: [{name: user, kind: categorical}]
          models: [{name: net, kind: shared-bottom, bottom: [4], tower: [4]}]
          training: {batch: 64, max-norm: 1e-9, max-skipped: 2}
        """);
    Path out = folder.resolve("out");
    Ran ran = run("experiment", "--file", file.toString(), "--out", out.toString());
    assertThat(ran.code).as(ran.err).isEqualTo(3);
    assertThat(ran.err).contains("Problem: every trial diverged, there is nothing to compare");
    assertThat(ran.out).contains("net: 1 of 1 diverged and is in none of the figures");
    assertThat(out.resolve("results.csv")).isRegularFile();
  }

  private static final String CLICKS =
      """
      experiment: clicks
      data: {kind: files, impressions: ['%s'], feedback: ['%s']}
      seeds: [1]
      metrics: [click.auc, click.rate]
      pipeline:
        pipeline: clicks
        tasks: [{name: click, kind: binary, window: 1h, deadline: {at: ends}}]
        features: [{name: user, kind: categorical}, {name: itm, kind: categorical}]
        models: [{name: net, kind: shared-bottom, bottom: [4], tower: [4]}]
      variants:
        - {name: settled}
        - {name: seen, override: {training: {scoring: {at: impression}}}}
      """;

  @Test
  void anExperimentSaysWhatIsOddInItsFilesAndItsTable() throws Exception {
    StringBuilder shown = new StringBuilder();
    StringBuilder clicks = new StringBuilder();
    for (int i = 0; i < 40; i++) {
      String at = "\"impression_id\": \"i%d\", \"event_time\": %d".formatted(i, 1767225600000L + i);
      shown.append("{").append(at).append(", \"features\": {\"user\": \"u\", \"item\": \"x\"}}\n");
      clicks.append("{").append(at).append(", \"event_id\": \"e").append(i).append("\"}\n");
    }
    Path impressions = Files.writeString(folder.resolve("shown.jsonl"), shown);
    Path feedback = Files.writeString(folder.resolve("clicks.jsonl"), clicks);
    Path file = folder.resolve("experiment.yaml");
    String out = folder.resolve("out").toString();
    Files.writeString(file, CLICKS.formatted(impressions, feedback));
    Ran ran = run("experiment", "--file", file.toString(), "--out", out);
    assertThat(ran.code).as(ran.err).isZero();
    assertThat(ran.out)
        .containsOnlyOnce("the deadline of click is absent in 40 of its first 40 impressions")
        .containsOnlyOnce("impressions: itm (did you mean 'item'?)")
        .contains("Scored are predictions of the moment of the label: settled")
        .contains("Scored are predictions of the moment of the impression: seen")
        .contains("Rows of different moments are not to be compared")
        .contains("1/2  ", "2/2  ")
        .contains("No row has the metric click.auc");

    Files.writeString(file, CLICKS.formatted("nowhere.jsonl", folder));
    assertThat(run("experiment", "--file", file.toString(), "--out", out).err.lines())
        .hasSize(2)
        .anyMatch(line -> line.startsWith("data.impressions: 'nowhere.jsonl': no such file, neit"))
        .anyMatch(
            line -> line.equals("data.feedback: '" + folder + "' is a folder; allowed: a file"));

    Files.writeString(file, CLICKS.formatted(feedback, impressions));
    Ran swapped = run("experiment", "--file", file.toString(), "--out", out);
    assertThat(swapped.code).isEqualTo(2);
    assertThat(swapped.err).contains("in each other's place?").contains("Nothing was started");
  }
}
