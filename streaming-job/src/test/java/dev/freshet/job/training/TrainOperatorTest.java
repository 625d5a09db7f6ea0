package dev.freshet.job.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.core.events.SourcePosition;
import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.features.FeatureEncoder;
import dev.freshet.core.features.FeatureField;
import dev.freshet.core.features.TestingExamples;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.core.settings.Problems;
import dev.freshet.core.snapshot.Manifest;
import dev.freshet.core.snapshot.ModelRecord;
import dev.freshet.core.snapshot.ModelVersion;
import dev.freshet.core.snapshot.SnapshotAssembler;
import dev.freshet.job.events.DeadLetter;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.apache.flink.runtime.checkpoint.Checkpoints;
import org.apache.flink.runtime.checkpoint.OperatorState;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.checkpoint.metadata.CheckpointMetadata;
import org.apache.flink.runtime.jobgraph.OperatorID;
import org.apache.flink.runtime.jobgraph.SavepointRestoreSettings;
import org.apache.flink.runtime.throwable.ThrowableClassifier;
import org.apache.flink.runtime.throwable.ThrowableType;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TrainOperatorTest {

  @TempDir private Path folder;

  /** The place of the field in the schema: smaller rows come first. */
  private static final int USER = 2;

  private final Pipeline pipeline = TestingPipelines.shop();
  // 64 is the batch: 5 full ones and a part of the sixth.
  private final List<EncodedExample> examples = TestingExamples.settled(pipeline, 64 * 10 + 20, 3);

  @Test
  void restoreInTheMiddleOfABatchPublishesTheSameWeights() throws Exception {
    SnapshotAssembler.Snapshot straight;
    try (var harness = harness(null)) {
      harness.feed(examples);
      straight = publish(harness, 1);
    }
    OperatorSubtaskState half;
    ModelVersion first;
    try (var harness = harness(null)) {
      harness.feed(examples.subList(0, 64 * 5 + 10));
      first = version(publish(harness, 1));
      half = harness.snapshot(1, 1);
    }
    try (var harness = harness(half)) {
      harness.feed(examples.subList(64 * 5 + 10, examples.size()));
      SnapshotAssembler.Snapshot resumed = publish(harness, 2);
      assertThat(resumed.payload()).isEqualTo(straight.payload());
      assertThat(resumed.manifest().quality()).isEqualTo(straight.manifest().quality());
      assertThat(resumed.manifest().amounts()).isEqualTo(straight.manifest().amounts());
      assertThat(version(resumed).step()).isEqualTo(10);
      assertThat(version(resumed).run()).as("a run of its own").isGreaterThan(first.run());
    }
  }

  /** Equal sizes are not enough: fields in another order are other inputs. */
  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "tower: [16, 8], tau; tower: [8, 8], tau; dense",
        "dim: 8, admit-after: 2}; dim: 8, admit-after: 2}, {name: more, kind: categorical};"
            + " features",
        "name: user, kind: categorical, dim: 8, admit-after: 1; name: visitor, kind: categorical,"
            + " dim: 8, admit-after: 1; features",
        "dim: 4, many: true; dim: 8, many: true, pooling: attention, target: item; features, dense",
        "name: revenue; name: amount; tasks",
        "kind: htlnet, tower: [16, 8], tau-steps: 50; kind: esmm; kind, dense"
      })
  void aCheckpointOfAnotherShapeIsRefusedOnce(String part, String other, String different)
      throws Exception {
    OperatorSubtaskState state;
    try (var harness = harness(null)) {
      harness.feed(examples.subList(0, 64));
      harness.prepareSnapshotPreBarrier(1); // as the task does: waits for the step
      state = harness.snapshot(1, 1);
    }
    harness(state).close();
    String replacement = other.replace("}, {", "}\n  - {");
    Pipeline changed = TestingPipelines.shop(part, replacement);
    assertThatThrownBy(() -> TestingTrainHarness.open(changed, state))
        .satisfies(
            e ->
                assertThat(ThrowableClassifier.getThrowableType(e))
                    .isEqualTo(ThrowableType.NonRecoverableError))
        .hasStackTraceContaining("learnt with other " + different.split(", ")[0])
        .hasStackTraceContaining("give the model a new name");
    Problems problems = new Problems();
    check(state, changed, problems);
    assertThat(problems.found())
        .as("told before the start as well")
        .singleElement()
        .satisfies(
            problem -> {
              assertThat(problem.path()).isEqualTo("models.main");
              assertThat(problem.value()).contains(different.split(", "));
            });
  }

  @Test
  void aCheckpointIsHeldAgainstThePipelineBeforeTheStart() throws Exception {
    OperatorSubtaskState state;
    try (var harness = harness(null)) {
      harness.feed(examples.subList(0, 64));
      harness.prepareSnapshotPreBarrier(1); // as the task does: waits for the step
      state = harness.snapshot(1, 1);
    }
    Problems none = new Problems();
    check(state, pipeline, none);
    assertThat(none.found()).isEmpty();

    Problems gone = new Problems();
    check(state, TestingPipelines.shop("name: main", "name: other"), gone);
    assertThat(gone.found()).singleElement().extracting(Problems.Problem::value).isEqualTo("main");

    List<String> notes = new ArrayList<>();
    new CheckpointCheck(
            pipeline, SavepointRestoreSettings.forPath(folder.resolve("nothing") + ""), notes::add)
        .run(gone);
    assertThat(notes).singleElement().asString().contains("could not be looked at");
    assertThat(gone.found()).hasSize(1);
  }

  private void check(OperatorSubtaskState state, Pipeline of, Problems problems)
      throws IOException {
    Path savepoint = Files.createDirectories(folder.resolve("savepoint"));
    OperatorState trainer =
        new OperatorState("training main", "training-main", new OperatorID(1, 2), 1, 1);
    trainer.putState(0, state);
    OperatorState log = new OperatorState("log", "training-log-main", new OperatorID(3, 4), 1, 1);
    try (OutputStream out = Files.newOutputStream(savepoint.resolve("_metadata"))) {
      Checkpoints.storeCheckpointMetadata(
          new CheckpointMetadata(7, List.of(trainer, log), List.of()), out);
    }
    new CheckpointCheck(
            of,
            SavepointRestoreSettings.forPath(savepoint.toUri().toString()),
            note -> {
              throw new AssertionError(note);
            })
        .run(problems);
  }

  @Test
  void publishesAgainOnlyAfterAStep() throws Exception {
    try (var harness = harness(null)) {
      assertThat(records(harness, 1)).as("nothing was learnt yet").isEmpty();
      harness.feed(examples.subList(0, 64));
      assertThat(records(harness, 2)).isNotEmpty();
      harness.feed(examples.subList(64, 100));
      assertThat(records(harness, 3)).isEmpty();
    }
  }

  @Test
  void theAgeOfTheLastVersionGoesOnOverRestarts() throws Exception {
    OperatorSubtaskState nothing;
    LastPublished first;
    try (var harness = harness(null)) {
      first = last(harness);
      assertThat(first.step()).isEqualTo(LastPublished.NONE);
      assertThat(first.at()).as("its start").isCloseTo(System.currentTimeMillis(), within(60_000L));
      nothing = harness.snapshot(1, 1);
    }
    OperatorSubtaskState published;
    LastPublished version;
    try (var harness = harness(nothing)) {
      assertThat(last(harness)).as("since its first start").isEqualTo(first);
      harness.feed(examples.subList(0, 64 * 3));
      long at = publish(harness, 2).manifest().publishedAt();
      version = last(harness);
      assertThat(version).isEqualTo(new LastPublished(at, 3));
      harness.feed(examples.subList(64 * 3, 64 * 5));
      published = harness.snapshot(3, 3);
    }
    try (var harness = harness(published)) {
      assertThat(last(harness)).isEqualTo(version);
    }
    Clock later = Clock.fixed(Instant.ofEpochMilli(version.at() + 2500), ZoneOffset.UTC);
    assertThat(version.seconds(later)).isEqualTo(2.5);
  }

  private static LastPublished last(TestingTrainHarness harness) {
    return ((TrainOperator) harness.getOperator()).lastPublished();
  }

  @Test
  void whatTheGateHoldsBackIsPartOfTheNextVersion() throws Exception {
    Pipeline strict =
        TestingPipelines.shop("training:", "publishing: {gate: {max-norm: 0.001}}\ntraining:");
    try (var harness = TestingTrainHarness.open(strict, null)) {
      harness.feed(examples.subList(0, 128));
      assertThat(records(harness, 1)).as("every norm is larger").isEmpty();
      harness.feed(examples.subList(128, 256));
      assertThat(records(harness, 2)).as("training went on").isEmpty();
      JsonNode report = report(harness);
      assertThat(report.path("refused").path("large-norm").asLong()).isEqualTo(2);
      assertThat(report.path("refused").path("not-finite").asLong()).isZero();
      assertThat(report.path("forced").asLong()).isZero();
      assertThat(report.path("lastRefusal").asText()).startsWith("step 4, large-norm: dense.");
      assertThat(report.path("heldBack").path("versions").asLong()).isEqualTo(2);
      assertThat(report.path("heldBack").path("step").asLong()).isEqualTo(4);
      assertThat(report.path("heldBack").path("reason").asText()).isEqualTo("large-norm");
      assertThat(report.path("published").asLong()).isZero();
    }
  }

  /** A name that was mistyped in the pipeline, say. */
  @Test
  void nothingIsPublishedOfAFieldThatWasNeverThere() throws Exception {
    FeatureField user = pipeline.schema().fields().get(USER);
    assertThat(user.name()).isEqualTo("user");
    List<EncodedExample> typo = examples.subList(0, 192);
    typo.forEach(e -> e.keys()[e.starts()[USER]] = FeatureEncoder.absentKey(user));
    OperatorSubtaskState state;
    try (var harness = harness(null)) {
      harness.feed(typo.subList(0, 128));
      assertThat(records(harness, 1)).isEmpty();
      state = harness.snapshot(1, 1);
    }
    try (var harness = harness(state)) {
      harness.feed(typo.subList(128, 192));
      assertThat(records(harness, 2)).isEmpty();
      JsonNode report = report(harness);
      assertThat(report.path("refused").path("absent-field").asLong()).isEqualTo(1);
      assertThat(report.path("published").asLong()).isZero();
      assertThat(report.path("lastRefusal").asText())
          .startsWith("step 3, absent-field: field user was absent in all 192 examples learnt");
      harness.feed(examples.subList(192, 256));
      assertThat(records(harness, 3)).as("and then it came").isNotEmpty();
    }
  }

  /** Amounts that no double adds up and a batch that cannot be learnt: told, in numbers. */
  @Test
  void whatIsNotLearntAsItCameIsTold() throws Exception {
    List<EncodedExample> wild = new ArrayList<>(examples.subList(0, 64 * 4));
    change(wild, 150, 2, label -> label.withValue(Double.MAX_VALUE));
    change(wild, 200, 1, label -> label.withWeight(Float.MAX_VALUE));
    try (var harness = harness(null)) {
      harness.feed(wild);
      records(harness, 1);
      JsonNode report = report(harness);
      assertThat(report.path("steps").asLong()).isEqualTo(3);
      assertThat(report.path("clippedLabels").asLong()).isEqualTo(1);
      assertThat(report.path("skippedBatches").asLong()).isEqualTo(1);
      assertThat(report.path("samples").path("clippedLabels").asText())
          .contains("task revenue, impression x3-150: ");
      assertThat(report.path("samples").path("skippedBatches").asText())
          .startsWith("model main, step 3: ")
          .contains("task purchase");
      for (JsonNode task : report.path("quality")) {
        assertThat(task).isNotEmpty().allMatch(JsonNode::isNumber);
      }
    }
  }

  /** Each example of a batch that cannot be learnt is kept, once, whatever is restored when. */
  @Test
  void examplesThatCannotBeLearntAreDeadLettersOnce() throws Exception {
    List<EncodedExample> wild = new ArrayList<>(examples.subList(0, 64 * 4));
    change(wild, 70, 1, label -> label.withWeight(Float.MAX_VALUE));
    change(wild, 200, 1, label -> label.withWeight(Float.MAX_VALUE));
    List<DeadLetter> letters = new ArrayList<>();
    OperatorSubtaskState state;
    try (var harness = harness(null)) {
      // The second batch is left out before the checkpoint, the fourth is begun.
      harness.feed(wild.subList(0, 64 * 3 + 20));
      records(harness, 1);
      letters.addAll(letters(harness));
      state = harness.snapshot(1, 1);
      harness.feed(wild.subList(64 * 3 + 20, wild.size()));
      records(harness, 2);
      assertThat(letters(harness)).as("lost with the failure").hasSize(128);
    }
    assertThat(letters).hasSize(64);
    try (var harness = harness(state)) {
      harness.feed(wild.subList(64 * 3 + 20, wild.size()));
      records(harness, 2);
      letters.addAll(letters(harness));
      assertThat(report(harness).path("skippedBatches").asLong()).isEqualTo(2);
    }
    List<EncodedExample> left = new ArrayList<>(wild.subList(64, 128));
    left.addAll(wild.subList(192, 256));
    assertThat(letters)
        .extracting(letter -> new String(letter.key(), StandardCharsets.UTF_8))
        .containsExactlyElementsOf(left.stream().map(EncodedExample::impression).toList());
    for (DeadLetter letter : letters) {
      assertThat(letter.reason()).isEqualTo("skipped-batch");
      assertThat(letter.kind()).isEqualTo("example");
      assertThat(letter.model()).isEqualTo("main");
    }
    assertThat(letters.get(0).error())
        .startsWith("model main, step 1: ")
        .contains("that of task purchase");
    assertThat(letters.get(64).error())
        .startsWith("model main, step 2: ")
        .contains("that of task purchase");
    JsonNode heavy = new ObjectMapper().readTree(letters.get(6).value());
    assertThat(heavy.path("impression_id").asText()).isEqualTo("x3-70");
    assertThat(heavy.path("event_time").asLong()).isEqualTo(wild.get(70).eventTime());
    assertThat(heavy.path("labels").path("purchase").path("weight").floatValue())
        .isEqualTo(Float.MAX_VALUE);
  }

  private static List<DeadLetter> letters(TestingTrainHarness harness) {
    var records = harness.getSideOutput(TrainOperator.LEFT_OUT);
    return records == null ? List.of() : records.stream().map(StreamRecord::getValue).toList();
  }

  private static void change(
      List<EncodedExample> examples, int index, int task, UnaryOperator<TaskLabel> to) {
    TaskLabel[] labels = examples.get(index).labels().clone();
    labels[task] = to.apply(labels[task]);
    examples.set(index, examples.get(index).withLabels(labels));
  }

  /** The newest record of the metrics topic. */
  private static JsonNode report(TestingTrainHarness harness) throws Exception {
    String newest = null;
    for (StreamRecord<String> record : harness.getSideOutput(TrainOperator.METRICS)) {
      newest = record.getValue();
    }
    return new ObjectMapper().readTree(newest);
  }

  @Test
  void aVersionNamesWhatHasBeenRead() throws Exception {
    OperatorSubtaskState state;
    try (var harness = harness(null)) {
      harness.feed(examples.subList(0, 64));
      assertThat(publish(harness, 1).manifest().watermark()).as("none came").isNull();
      harness.processElement2(new StreamRecord<>(new SourcePosition("clicks", 0, 5, 50)));
      harness.processElement2(new StreamRecord<>(new SourcePosition("clicks", 1, 2, 70)));
      harness.processWatermark1(new Watermark(1_000));
      harness.processWatermark2(new Watermark(900));
      harness.feed(examples.subList(64, 128));
      Manifest manifest = publish(harness, 2).manifest();
      assertThat(manifest.sources())
          .containsExactly(
              new SourcePosition("clicks", 0, 5, 50), new SourcePosition("clicks", 1, 2, 70));
      assertThat(manifest.watermark()).isEqualTo(900);
      assertThat(manifest.configuration()).isEqualTo(pipeline.fingerprint());
      state = harness.snapshot(2, 2);
    }
    try (var harness = harness(state)) {
      harness.processElement2(new StreamRecord<>(new SourcePosition("clicks", 1, 9, 60)));
      harness.feed(examples.subList(128, 192));
      Manifest manifest = publish(harness, 3).manifest();
      assertThat(manifest.sources())
          .as("a partition that is silent after a restore is still named")
          .containsExactly(
              new SourcePosition("clicks", 0, 5, 50), new SourcePosition("clicks", 1, 9, 70));
      assertThat(manifest.watermark()).isEqualTo(900);
    }
  }

  @Test
  void theEndOfInputLearnsTheRestAndPublishes() throws Exception {
    try (var harness = harness(null)) {
      harness.feed(examples);
      publish(harness, 1);
      harness.endInput1();
      assertThat(drain(harness)).as("the other input is still open").isEmpty();
      harness.endInput2();
      Manifest last = assemble(drain(harness)).manifest();
      assertThat(ModelVersion.parse(last.version()).step()).isEqualTo(11);
      assertThat(last.examples()).isEqualTo(examples.size());
    }
  }

  /** The sinks behind have ended too, and fail on anything that still comes. */
  @Test
  void nothingIsEmittedAfterTheEndAlthoughTheGateHeldBackTheLastVersion() throws Exception {
    Pipeline strict =
        TestingPipelines.shop("training:", "publishing: {gate: {max-norm: 0.001}}\ntraining:");
    try (var harness = TestingTrainHarness.open(strict, null)) {
      harness.feed(examples);
      harness.endInput1();
      harness.endInput2();
      assertThat(report(harness).path("refused").path("large-norm").asLong()).isEqualTo(1);
      harness.getSideOutput(TrainOperator.METRICS).clear();
      assertThat(records(harness, 1)).isEmpty();
      assertThat(harness.getSideOutput(TrainOperator.METRICS)).isEmpty();
    }
  }

  private TestingTrainHarness harness(OperatorSubtaskState state) throws Exception {
    return TestingTrainHarness.open(pipeline, state);
  }

  private static List<ModelRecord> records(TestingTrainHarness harness, long checkpoint)
      throws Exception {
    harness.prepareSnapshotPreBarrier(checkpoint);
    return drain(harness);
  }

  private static List<ModelRecord> drain(TestingTrainHarness harness) {
    List<ModelRecord> records = new ArrayList<>(harness.extractOutputValues());
    harness.getOutput().clear();
    return records;
  }

  private static SnapshotAssembler.Snapshot publish(TestingTrainHarness harness, long checkpoint)
      throws Exception {
    return assemble(records(harness, checkpoint));
  }

  private static SnapshotAssembler.Snapshot assemble(List<ModelRecord> records) throws IOException {
    SnapshotAssembler assembler = new SnapshotAssembler();
    SnapshotAssembler.Snapshot last = null;
    for (ModelRecord record : records) {
      last = assembler.accept(record).orElse(last);
    }
    return last;
  }

  private static ModelVersion version(SnapshotAssembler.Snapshot snapshot) {
    return ModelVersion.parse(snapshot.manifest().version());
  }
}
