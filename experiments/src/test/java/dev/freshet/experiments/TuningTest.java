package dev.freshet.experiments;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.labels.Task;
import dev.freshet.core.models.Models;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.experiments.TunedPipeline.Candidate;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TuningTest {

  private static final String PIPELINE =
      """
      # Learns next to nothing: the rows stand still.
      pipeline: small
      tasks:
        - {name: click, kind: binary, window: 1m}
        - {name: spent, kind: continuous, window: 1m}
      features:
        - {name: user, kind: categorical, admit-after: 1}
        - {name: item, kind: categorical, admit-after: 1}
      models:
        - {name: net, kind: shared-bottom, bottom: [8], tower: [8]}
        - {name: other, kind: esmm}
      training:
        batch: 512
        embeddings: {rate: 1e-6, first-order: 0}
        dense: {rate: 1e-5}
        scoring: {at: label, from: 2026-01-01}
      """;

  @TempDir Path folder;

  private Path pipeline;
  private Path shown;
  private Path done;

  @BeforeEach
  void events() throws IOException {
    pipeline = Files.writeString(folder.resolve("small.yaml"), PIPELINE);
    SplittableRandom random = new SplittableRandom(3);
    StringBuilder impressions = new StringBuilder();
    StringBuilder feedback = new StringBuilder("not even JSON\n");
    for (int i = 0; i < 10_000; i++) {
      int user = random.nextInt(12);
      int item = random.nextInt(8);
      String id = "\"impression_id\":\"i" + i + "\",\"event_time\":";
      long time = 1_767_225_600_000L + i * 1000L;
      impressions.append("{").append(id).append(time);
      impressions.append(
          ",\"features\":{\"user\":\"u%d\",\"item\":\"p%d\"}}%n".formatted(user, item));
      if (random.nextDouble() < 1 / (1 + Math.exp(4 - 0.5 * user))) {
        String event = ",\"event_id\":\"e%d\",\"kind\":".formatted(i);
        feedback.append("{").append(id).append(time + 500).append(event).append("\"click\"}\n");
        double paid = (1 + item) * random.nextDouble();
        feedback.append("{").append(id).append(time + 600).append(event);
        feedback.append("\"spent\",\"value\":").append(paid).append("}\n");
      }
    }
    shown = Files.writeString(folder.resolve("shown.jsonl"), impressions);
    done = Files.writeString(folder.resolve("done.jsonl"), feedback);
  }

  private Tuning tuning(int candidates, PrintStream out, boolean terminal, String... tasks)
      throws IOException {
    Tuning tuning =
        new Tuning(
            new Tuning.Settings(
                pipeline,
                List.of(shown.toString()),
                List.of(done.toString()),
                List.of(tasks),
                candidates,
                2,
                1),
            out,
            terminal,
            // Less than any candidate takes, so that there are signs on every machine.
            Duration.ofMillis(20));
    tuning.look();
    return tuning;
  }

  private static PrintStream nowhere() {
    return new PrintStream(OutputStream.nullOutputStream());
  }

  @Test
  void whatItWritesIsBetterAndSaysWhatEachChoiceBrings() throws Exception {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    Tuning tuning = tuning(9, new PrintStream(bytes, true, StandardCharsets.UTF_8), false);
    assertThat(tuning.run()).isTrue();
    Path tuned = folder.resolve("tuned.yaml");
    tuning.write(tuned);

    String screen = bytes.toString(StandardCharsets.UTF_8);
    assertThat(screen)
        .startsWith("Tuning small, model net, on 10,000 impressions")
        .contains("1 line is left out, no event: ")
        .contains("Round 1 of 2, 3,333 impressions: the best is")
        .contains("Round 2 of 2, 10,000 impressions: the best is")
        .containsPattern("\\d of \\d done after .* s")
        .doesNotContain("...");
    assertThat(screen.lines()).allSatisfy(line -> assertThat(line.length()).isLessThan(80));
    String words = screen.replaceAll("\\s+", " ");
    assertThat(words)
        .contains(
            "score: the mean of its tasks', each its loss, over the loss of the best constant")
        .contains("lower is better: click by log loss, spent by Poisson's deviance")
        .contains("Round 1 of 2, 3,333 impressions score: ")
        .contains(" done score click spent seconds ")
        .containsPattern(
            "click: 4,\\d+ labels known before the judged half, [\\d,]+ positive; in it 5,000,")
        .containsPattern(
            "spent: 4,\\d+ amounts known before the judged half, [\\d,]+ above 0; in it")
        .containsPattern("9 [+] 4 candidates in 2 rounds; then .* At most \\d+ runs")
        .containsPattern("being learnt: [^;]+ [(]\\d+[.]\\d s[)]")
        .containsPattern("The others take about .*, 2 at a time")
        .containsPattern(
            "Pass 1, each choice of the best taken back alone, .* the best, 0[.]\\d{4};")
        .containsPattern("without \\S+: 0[.]\\d{4} [(][+-]0[.]\\d{4} ± 0[.]\\d{4}[)]");
    TunedPipeline file = new TunedPipeline(pipeline);
    for (Candidate candidate : file.candidates(9, 1)) {
      assertThat(words).contains(file.describe(candidate));
    }
    Pipeline read = PipelineFile.read(tuned);
    Pipeline before = PipelineFile.read(pipeline);
    assertThat(read.models()).hasSize(1);
    assertThat(read.models().get(0).name()).isEqualTo("net");
    assertThat(read.fingerprint()).isNotEqualTo(before.fingerprint());
    assertThat(read.tasks().get(0).window()).isEqualTo(before.tasks().get(0).window());
    assertThat(read.training().scoring()).as("is not tuned").isEqualTo(before.training().scoring());
    String text = Files.readString(tuned);
    List<String> report = tuning.report();
    assertThat(report)
        .allSatisfy(line -> assertThat(line.length()).isLessThan(80))
        .allSatisfy(line -> assertThat(text).contains("# " + line))
        .anyMatch(line -> line.matches("\\S+: \\S+ -> \\S+ +-0\\.\\d{4} ± 0\\.\\d{4}"))
        .anyMatch(line -> line.matches("    click \\S+ ± \\S+; spent \\S+ ± \\S+"))
        .anyMatch(line -> line.matches("Kept, each beside the others here, score 0.\\d{4}:"))
        .anyMatch(line -> line.startsWith("click: 4,"))
        .anyMatch(line -> line.startsWith("click auc"));
    String figures = report.stream().filter(line -> line.startsWith("click auc")).findAny().get();
    String[] aucs = figures.trim().split(" +");
    assertThat(Double.parseDouble(aucs[3]))
        .as(figures)
        .isGreaterThan(Double.parseDouble(aucs[2]) + 0.02)
        .isGreaterThan(0.7);
  }

  @Test
  void anInterruptKeepsTheBestOfTheRoundsThatAreOver() throws Exception {
    CountDownLatch round = new CountDownLatch(1);
    PrintStream out =
        new PrintStream(OutputStream.nullOutputStream()) {
          @Override
          public void println(String line) {
            if (line.contains("the best is")) {
              round.countDown();
            }
          }
        };
    Tuning tuning = tuning(6, out, false, "click");
    AtomicReference<Object> ended = new AtomicReference<>();
    Thread running =
        new Thread(
            () -> {
              try {
                ended.set(tuning.run());
              } catch (Exception e) {
                ended.set(e);
              }
            });
    running.start();
    assertThat(round.await(2, TimeUnit.MINUTES)).isTrue();
    running.interrupt();
    running.join();
    assertThat(ended.get()).isEqualTo(false);
    assertThat(tuning.found()).isTrue();
    Path tuned = folder.resolve("early.yaml");
    tuning.write(tuned);
    assertThat(PipelineFile.read(tuned).pipeline()).isEqualTo("small");
  }

  @Test
  void beforeTheFirstRoundThereIsNothingToWrite() throws Exception {
    Tuning tuning = tuning(6, nowhere(), false);
    Thread.currentThread().interrupt();
    assertThat(tuning.run()).isFalse();
    assertThat(Thread.interrupted()).isFalse();
    assertThat(tuning.found()).isFalse();
  }

  @Test
  void equalSeedsTryTheSameAndAllOfItIsValid() throws IOException {
    TunedPipeline file = new TunedPipeline(pipeline);
    List<Candidate> candidates = file.candidates(60, 1);
    assertThat(candidates).hasSize(60).doesNotHaveDuplicates().isEqualTo(file.candidates(60, 1));
    assertThat(candidates.get(0).asItIs()).isTrue();
    assertThat(file.candidates(60, 2)).isNotEqualTo(candidates);
    for (Candidate candidate : candidates) {
      Pipeline made = file.pipeline(candidate);
      assertThat(made.training().scoring().from()).as("all impressions are judged").isNull();
      assertThat(made.models()).hasSize(1);
    }
    TunedChoice kinds =
        file.choices().stream().filter(one -> one.name().equals("kind")).findAny().orElseThrow();
    assertThat(kinds.asItIs()).isEqualTo("shared-bottom");
    assertThat(Models.kinds().keySet())
        .as("what is on the menu is tried, if it fits")
        .containsAll(kinds.values().stream().map(TunedChoice.Value::label).toList());
    assertThat(kinds.values()).extracting(TunedChoice.Value::label).contains("htlnet");
  }

  @Test
  void whatDoesNotFitIsNotOffered() throws IOException {
    Files.writeString(
        pipeline,
        PIPELINE
            .replace("  - {name: spent, kind: continuous, window: 1m}\n", "")
            .replace("scoring: {at: label, from: 2026-01-01}", "scoring: {}"));
    TunedPipeline file = new TunedPipeline(pipeline);
    assertThat(file.choices())
        .extracting(TunedChoice::name)
        .contains("kind", "crosses", "correction", "batch", "embeddings.rate")
        .contains("embeddings.first-order", "dim")
        .doesNotContain("transform", "amount.loss");
    TunedChoice corrections =
        file.choices().stream().filter(c -> c.name().equals("correction")).findAny().get();
    assertThat(corrections.values())
        .extracting(TunedChoice.Value::label)
        .as("for amounts alone, and what it is already")
        .doesNotContain("revise", "wait")
        .contains("fnw");
  }

  /** Candidates share examples by what changes these alone, which has to be all that does. */
  @Test
  void candidatesThatShareExamplesHaveTheSame() throws IOException {
    TunedPipeline file = new TunedPipeline(pipeline);
    TuningEvents events =
        new TuningEvents(file.pipeline(), List.of(shown.toString()), List.of(done.toString()));
    DataSource newest = events.newest(0.02);
    Map<TunedPipeline.ExamplesKey, List<EncodedExample>> known = new HashMap<>();
    for (Candidate candidate : file.candidates(20, 4)) {
      List<EncodedExample> all = newest.load(file.pipeline(candidate), 1).all();
      assertThat(all.size()).isGreaterThanOrEqualTo(400);
      List<EncodedExample> same = known.putIfAbsent(file.examples(candidate), all);
      if (same != null) {
        assertThat(all).as(file.describe(candidate)).usingRecursiveComparison().isEqualTo(same);
      }
    }
    assertThat(known).as("some share, some do not").hasSizeBetween(2, 19);
  }

  @Test
  void onlyWhatMattersToTheJudgedTasksIsTried() throws IOException {
    TunedPipeline file = new TunedPipeline(pipeline);
    assertThat(file.choices())
        .extracting(TunedChoice::name)
        .contains("transform", "amount.loss", "correction");
    assertThat(file.judgedBy(Task::binary).choices())
        .extracting(TunedChoice::name)
        .contains("correction", "kind", "batch")
        .doesNotContain("transform", "amount.loss");
    TunedChoice corrections =
        file.judgedBy(task -> !task.binary()).choices().stream()
            .filter(choice -> choice.name().equals("correction"))
            .findAny()
            .orElseThrow();
    assertThat(corrections.values())
        .extracting(TunedChoice.Value::label)
        .as("those for clicks alone change nothing of amounts")
        .containsExactly("settled");
  }

  @Test
  void howFarItIsSaysWhatIsLearntAndHowLongTheOthersTake() {
    long second = 1_000_000_000L;
    TuningProgress progress = new TuningProgress(5, 4, 2, 0);
    progress.begin("dim 4", 0);
    progress.begin("dim 8", 10 * second);
    assertThat(progress.expected()).isNull();
    assertThat(progress.text(90 * second))
        .isEqualTo(
            "1 of 5 done after 1 min 30 s; being learnt: dim 4 (1 min 30 s); dim 8 (1 min 20 s)");
    progress.end("dim 4", 100);
    assertThat(progress.expected()).isEqualTo("about 3 min 20 s");
    assertThat(progress.text(100 * second)).contains("2 of 5").contains("about 3 min 20 s to go");
    for (String left : List.of("dim 8", "a", "b")) {
      progress.end(left, 1);
    }
    assertThat(progress.text(200 * second)).isEqualTo("5 of 5 done after 3 min 20 s");
  }

  @Test
  void badRequestsAreNamed() {
    assertThatThrownBy(() -> tuning(3, nowhere(), false, "buy"))
        .hasMessage("--task: 'buy'; allowed: click, spent");
  }

  @Test
  void withoutAnyFeedbackNothingIsFound() throws Exception {
    Files.writeString(done, "");
    assertThat(why(tuning(2, nowhere(), false)))
        .contains("all 5,000 labels of click in the judged half are negative")
        .endsWith("all 5,000 amounts of spent in the judged half are 0");
  }

  /** Of such a stream every candidate that waits says the same, and those that do not look good. */
  @Test
  void labelsThatComeAfterAllThatIsJudgedTeachNothing() throws Exception {
    Files.writeString(pipeline, PIPELINE.replace("window: 1m", "window: 2h"));
    assertThat(why(tuning(3, nowhere(), false, "click")))
        .isEqualTo(
            "the newer half of the impressions, by which candidates are judged, begins at"
                + " 2026-01-01T01:23:20Z, and no label of click was known before the judged half");
    assertThat(why(tuning(3, nowhere(), false)))
        .as("all tasks at once")
        .endsWith(
            "no label of click was known before the judged half; only 0 amounts of spent above 0"
                + " were known before the judged half, of 8 needed");
  }

  /** A task of which too little is known says so, and the others are gone on with. */
  @Test
  void aTaskOfWhichTooLittleIsKnownIsJudgedByNothing() throws Exception {
    Files.writeString(
        pipeline, PIPELINE.replace("continuous, window: 1m", "continuous, window: 2h"));
    assertJudgedByClickAlone("only 0 amounts of spent above 0 were known before the judged half");
  }

  @Test
  void aTaskWithOnePositiveInTheJudgedHalfIsJudgedByNothing() throws Exception {
    List<String> all = Files.readAllLines(done);
    List<String> left = new ArrayList<>();
    for (int i = 0; i < all.size(); i++) {
      if (i < all.size() / 3 || i > all.size() - 3 || !all.get(i).contains("spent")) {
        left.add(all.get(i));
      }
    }
    Files.write(done, left);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    tuning(3, new PrintStream(bytes, true, StandardCharsets.UTF_8), false);
    assertThat(bytes.toString(StandardCharsets.UTF_8).replaceAll("\\s+", " "))
        .contains(
            "Not judged by spent: of 5,000 amounts of spent in the judged half only 1 is above 0,"
                + " of 20 needed")
        .contains(" Judged by click ");
  }

  private void assertJudgedByClickAlone(String why) throws Exception {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    Tuning tuning = tuning(3, new PrintStream(bytes, true, StandardCharsets.UTF_8), false);
    assertThat(tuning.run()).isTrue();
    assertThat(tuning.found()).isTrue();
    String screen = bytes.toString(StandardCharsets.UTF_8).replaceAll("\\s+", " ");
    assertThat(screen)
        .contains("Not judged by spent: " + why)
        .contains(" Judged by click ")
        .contains("score: click by log loss")
        .doesNotContain("transform")
        .doesNotContain("amount.loss");
    List<String> report = tuning.report();
    assertThat(String.join(" ", report)).contains("Not judged by spent: ").contains("spent nmae");
    assertThat(report).noneMatch(line -> line.startsWith("spent Poisson"));
  }

  @Test
  void aTaskWithoutAPositiveInTheJudgedHalfIsNamed() throws Exception {
    List<String> first = Files.readAllLines(done);
    Files.write(done, first.subList(0, first.size() / 3));
    assertThat(why(tuning(2, nowhere(), false, "click")))
        .contains("all 5,000 labels of click in the judged half are negative");
  }

  private String why(Tuning tuning) throws Exception {
    assertThat(tuning.run()).isTrue();
    assertThat(tuning.found()).isFalse();
    return tuning.why();
  }

  /** Rounds of a part are worth it where that part tells something. */
  @Test
  void aRoundThatWouldBeAMatterOfLuckIsLeftOut() throws Exception {
    List<String> rare = new ArrayList<>();
    int clicks = 0;
    for (String line : Files.readAllLines(done)) {
      if (line.contains("\"click\"") && ++clicks % 80 == 0) {
        rare.add(line);
      }
    }
    Files.write(done, rare);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    tuning(2, new PrintStream(bytes, true, StandardCharsets.UTF_8), false, "click");
    assertThat(bytes.toString(StandardCharsets.UTF_8).replaceAll("\\s+", " "))
        .contains(
            "No round with the newest 3,333 impressions alone: of 1,667 labels of click in the")
        .containsPattern("judged half only \\d+ are positive, of 20 needed");
  }

  @Test
  void whereAllDivergeNothingIsWritten() throws Exception {
    Files.writeString(
        pipeline, PIPELINE.replace("batch: 512", "batch: 512\n  max-norm: 1e-9\n  max-skipped: 2"));
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    Tuning tuning = tuning(4, new PrintStream(bytes, true, StandardCharsets.UTF_8), false);
    assertThat(why(tuning))
        .startsWith("of 4 candidates none was learnt to its end; the first diverged at step 0: a");
    assertThat(bytes.toString(StandardCharsets.UTF_8))
        .contains("4/4  diverged at step 0: a gradient's norm is not finite or above 1.0E-9");
  }

  /** Clicks by the toss of a coin: who is best there is best by luck. */
  @Test
  void whatIsWithinItsErrorStaysAsItIs() throws Exception {
    SplittableRandom random = new SplittableRandom(6);
    StringBuilder feedback = new StringBuilder();
    for (int i = 0; i < 10_000; i++) {
      if (random.nextDouble() < 0.3) {
        long time = 1_767_225_600_000L + i * 1000L + 500;
        feedback.append(
            "{\"impression_id\":\"i%d\",\"event_time\":%d,\"event_id\":\"e\",\"kind\":\"click\"}%n"
                .formatted(i, time));
      }
    }
    Files.writeString(done, feedback);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    Tuning tuning =
        tuning(12, new PrintStream(bytes, true, StandardCharsets.UTF_8), false, "click");
    assertThat(tuning.run()).isTrue();
    assertThat(tuning.found()).isTrue();
    Path tuned = folder.resolve("tuned.yaml");
    tuning.write(tuned);
    assertThat(PipelineFile.read(tuned).fingerprint())
        .isEqualTo(new TunedPipeline(pipeline).pipeline().fingerprint());
    assertThat(Files.readString(tuned))
        .contains("within error, default kept")
        .contains("# The file as it is: no choice is a gain beyond two standard errors.");
  }

  @Test
  void howFarItIsFitsATerminalAndIsDrawnInItsPlace() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    TuningScreen screen = new TuningScreen(new PrintStream(bytes, true), true);
    screen.draw(Collections.nCopies(100, "x"));
    screen.draw(List.of("three"));
    screen.say("kept");
    screen.draw(List.of("below"));
    screen.keep(List.of("too"));
    String esc = "\u001b";
    assertThat(bytes.toString().split(System.lineSeparator()))
        .hasSize(26)
        .startsWith(Collections.nCopies(22, "x").toArray(String[]::new))
        .endsWith(
            esc + "[22A" + esc + "[Jthree",
            esc + "[1A" + esc + "[Jkept",
            "below",
            esc + "[1A" + esc + "[Jtoo");
    bytes.reset();
    TuningScreen lines = new TuningScreen(new PrintStream(bytes, true), false);
    lines.draw(List.of("no terminal"));
    lines.keep(List.of("1/3"));
    assertThat(bytes.toString()).isEqualTo("1/3" + System.lineSeparator());
  }

  @Test
  void nothingIsCutOff() {
    String words = "word ".repeat(40).strip();
    assertThat(TuningScreen.wrap(words, "  "))
        .hasSize(3)
        .allSatisfy(line -> assertThat(line.length()).isLessThan(80))
        .satisfies(
            lines -> assertThat(String.join(" ", lines).replaceAll(" +", " ")).isEqualTo(words));
    assertThat(TuningScreen.wrap("y".repeat(200), "  "))
        .containsExactly("y".repeat(79), "  " + "y".repeat(77), "  " + "y".repeat(44));
    assertThat(TuningScreen.wrap("      " + "z".repeat(100), "      "))
        .containsExactly("      " + "z".repeat(73), "      " + "z".repeat(27));
  }
}
