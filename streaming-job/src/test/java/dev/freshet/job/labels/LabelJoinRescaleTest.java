package dev.freshet.job.labels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.freshet.core.events.Deadline;
import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.RawFeatures;
import dev.freshet.core.labels.LabelJoin;
import dev.freshet.core.labels.LabeledExample;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.core.settings.Problems;
import dev.freshet.job.codec.CodecTypeInfo;
import dev.freshet.job.training.CheckpointCheck;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.runtime.checkpoint.Checkpoints;
import org.apache.flink.runtime.checkpoint.OperatorState;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.checkpoint.metadata.CheckpointMetadata;
import org.apache.flink.runtime.jobgraph.OperatorID;
import org.apache.flink.runtime.jobgraph.SavepointRestoreSettings;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;
import org.apache.flink.runtime.throwable.ThrowableClassifier;
import org.apache.flink.runtime.throwable.ThrowableType;
import org.apache.flink.state.rocksdb.EmbeddedRocksDBStateBackend;
import org.apache.flink.streaming.api.operators.co.KeyedCoProcessOperator;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.AbstractStreamOperatorTestHarness;
import org.apache.flink.streaming.util.KeyedTwoInputStreamOperatorTestHarness;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Savepoints of the join that are restored into another job: more subtasks, other windows. */
class LabelJoinRescaleTest {

  private static final long START = 1_767_225_600_000L;
  private static final long MINUTE = 60_000;
  private static final int MAX_PARALLELISM = 16;

  /** All subtasks of the join. */
  private static final class Stage {
    private final List<
            KeyedTwoInputStreamOperatorTestHarness<String, Impression, Feedback, LabeledExample>>
        subtasks = new ArrayList<>();
    private final List<String> told;

    Stage(
        Pipeline pipeline,
        boolean rocks,
        int parallelism,
        OperatorSubtaskState from,
        int before,
        List<String> told)
        throws Exception {
      this.told = told;
      for (int i = 0; i < parallelism; i++) {
        LabelJoin join = new LabelJoin(pipeline.tasks(), pipeline.labels(), false);
        var harness =
            new KeyedTwoInputStreamOperatorTestHarness<>(
                new KeyedCoProcessOperator<>(
                    new LabelJoinFunction(join, pipeline.schema().layout())),
                Impression::id,
                Feedback::impressionId,
                Types.STRING,
                MAX_PARALLELISM,
                parallelism,
                i);
        if (rocks) {
          harness.setStateBackend(new EmbeddedRocksDBStateBackend());
        }
        harness.setup(CodecTypeInfo.LABELED.createSerializer(null));
        if (from != null) {
          harness.initializeState(
              AbstractStreamOperatorTestHarness.repartitionOperatorState(
                  from, MAX_PARALLELISM, before, parallelism, i));
        }
        harness.open();
        subtasks.add(harness);
      }
    }

    private KeyedTwoInputStreamOperatorTestHarness<String, Impression, Feedback, LabeledExample> of(
        String key) {
      return subtasks.get(
          KeyGroupRangeAssignment.assignKeyToParallelOperator(
              key, MAX_PARALLELISM, subtasks.size()));
    }

    void send(Object event) throws Exception {
      if (event instanceof Impression impression) {
        of(impression.id()).processElement1(new StreamRecord<>(impression));
      } else {
        Feedback feedback = (Feedback) event;
        of(feedback.impressionId()).processElement2(new StreamRecord<>(feedback));
      }
    }

    void watermark(long time) throws Exception {
      for (var harness : subtasks) {
        harness.processBothWatermarks(new Watermark(time));
      }
    }

    OperatorSubtaskState savepoint() throws Exception {
      OperatorSubtaskState[] states = new OperatorSubtaskState[subtasks.size()];
      for (int i = 0; i < states.length; i++) {
        states[i] = subtasks.get(i).snapshot(1, 1);
      }
      return AbstractStreamOperatorTestHarness.repackageState(states);
    }

    void close() throws Exception {
      for (var harness : subtasks) {
        for (LabeledExample example : harness.extractOutputValues()) {
          StringBuilder line = new StringBuilder(example.impression().id() + " " + example.tag());
          for (TaskLabel label : example.labels()) {
            line.append(' ').append(label.value());
          }
          told.add(line.toString());
        }
        harness.close();
      }
    }
  }

  private static long time(Object event) {
    return event instanceof Impression impression
        ? impression.eventTime()
        : ((Feedback) event).eventTime();
  }

  /** Two hundred impressions in an hour, with feedback soon, late, or never. */
  private static List<Object> events() {
    Random random = new Random(2);
    List<Object> events = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      String id = "i" + i;
      long shown = START + random.nextInt(60) * MINUTE;
      Deadline end = Deadline.at(shown + (10 + i % 50) * MINUTE);
      events.add(
          new Impression(
              id,
              shown,
              new RawFeatures(new String[0][], new double[0]),
              null,
              List.of(Deadline.ABSENT, end, Deadline.ABSENT)));
      if (random.nextInt(3) > 0) {
        long click = shown + random.nextInt(12) * MINUTE;
        events.add(new Feedback(id, id + "c", 0, click, 1));
        if (random.nextInt(2) > 0) {
          long purchase = click + random.nextInt(70) * MINUTE;
          events.add(new Feedback(id, id + "p", 1, purchase, 1));
          events.add(new Feedback(id, id + "r", 2, purchase + MINUTE, 1 + random.nextInt(50)));
        }
      }
    }
    events.sort(Comparator.comparingLong(LabelJoinRescaleTest::time));
    return events;
  }

  private static Pipeline pipeline(String correction) {
    return TestingPipelines.shop(
        "{orphan-wait", "{correction: " + correction + ", waiting: 15m, orphan-wait");
  }

  /** The events in three parts, each with its own parallelism, through savepoints in between. */
  private static List<String> run(Pipeline pipeline, boolean rocks, int... parallelism)
      throws Exception {
    List<Object> events = events();
    List<String> told = new ArrayList<>();
    OperatorSubtaskState savepoint = null;
    int before = 0;
    for (int part = 0; part < parallelism.length; part++) {
      Stage stage = new Stage(pipeline, rocks, parallelism[part], savepoint, before, told);
      int from = events.size() * part / parallelism.length;
      int to = events.size() * (part + 1) / parallelism.length;
      for (Object event : events.subList(from, to)) {
        stage.send(event);
        stage.watermark(time(event) - MINUTE);
      }
      if (part == parallelism.length - 1) {
        stage.watermark(Long.MAX_VALUE);
      }
      savepoint = stage.savepoint();
      before = parallelism[part];
      stage.close();
    }
    return told;
  }

  @ParameterizedTest
  @CsvSource({"wait,false", "wait,true", "defer,false", "es-dfm,true", "fnw,false", "revise,true"})
  void rescalingLosesNothingAndDoublesNothing(String correction, boolean rocks) throws Exception {
    Pipeline pipeline = pipeline(correction);
    List<String> straight = run(pipeline, rocks, 1, 1, 1);
    List<String> rescaled = run(pipeline, rocks, 2, 4, 2);
    assertThat(straight).hasSizeGreaterThan(400).doesNotHaveDuplicates();
    assertThat(rescaled).containsExactlyInAnyOrderElementsOf(straight);
  }

  @ParameterizedTest
  @CsvSource({"wait,false", "wait,true", "es-dfm,true", "hazard,true"})
  void rescalingKeepsDeadlines(String correction, boolean rocks) throws Exception {
    Pipeline pipeline =
        TestingPipelines.shop(
            "click, window: 1h}",
            "click, window: 1h, correction: "
                + correction
                + (correction.equals("hazard") ? ", negatives: explicit" : "")
                + ", deadline: {at: end}}");
    List<String> straight = run(pipeline, rocks, 1, 1, 1);
    List<String> rescaled = run(pipeline, rocks, 2, 4, 2);
    assertThat(straight).hasSizeGreaterThan(400).doesNotHaveDuplicates();
    assertThat(straight)
        .as("deadlines change labels")
        .doesNotContainSequence(run(pipeline(correction), rocks, 1, 1, 1));
    assertThat(rescaled).containsExactlyInAnyOrderElementsOf(straight);
  }

  /** A click after {@code minutes}, told by a join restored with another window for clicks. */
  private static List<String> restoredWith(String window, int minutes) throws Exception {
    List<String> told = new ArrayList<>();
    Stage first = new Stage(TestingPipelines.shop(), false, 1, null, 0, told);
    first.send(new Impression("i", START, new RawFeatures(new String[0][], new double[0]), null));
    first.watermark(START + MINUTE);
    OperatorSubtaskState savepoint = first.savepoint();
    first.close();
    Pipeline changed =
        TestingPipelines.shop(
            "click, kind: binary, window: 10m", "click, kind: binary, window: " + window);
    Stage second = new Stage(changed, false, 1, savepoint, 1, told);
    second.watermark(START + MINUTE);
    second.send(new Feedback("i", "c", 0, START + minutes * MINUTE, 1));
    second.watermark(Long.MAX_VALUE);
    second.close();
    return told.stream().filter(line -> line.startsWith("i final")).toList();
  }

  /** What was not told before the savepoint is told by the windows of after it. */
  @Test
  void aRestoredJoinUsesItsNewWindows() throws Exception {
    assertThat(restoredWith("10m", 15)).singleElement().asString().contains(" 0.0 0.0 0.0");
    assertThat(restoredWith("20m", 15)).singleElement().asString().contains(" 1.0 0.0 0.0");
    assertThat(restoredWith("10m", 8)).singleElement().asString().contains(" 1.0 0.0 0.0");
    assertThat(restoredWith("5m", 8)).singleElement().asString().contains(" 0.0 0.0 0.0");
  }

  /** What waits lies by the tasks' places: others would read it as their own. */
  @Test
  void otherTasksNeedADrain(@TempDir Path folder) throws Exception {
    Pipeline other =
        TestingPipelines.shop(
            "{name: purchase, kind: binary, after: click, window: 1h}",
            "{name: cart, kind: binary, window: 1h}\n  - {name: purchase, kind: binary, window: 1h}");
    OperatorSubtaskState waiting = withFive(2, START);
    assertThatThrownBy(() -> new Stage(other, true, 3, waiting, 2, new ArrayList<>()))
        .satisfies(
            e ->
                assertThat(ThrowableClassifier.getThrowableType(e))
                    .isEqualTo(ThrowableType.NonRecoverableError))
        .hasStackTraceContaining("5 impressions wait for labels of the tasks click:binary,purchase")
        .hasStackTraceContaining("not of click:binary,cart:binary,purchase:binary");
    new Stage(other, true, 3, withFive(2, Long.MAX_VALUE), 2, new ArrayList<>()).close();

    assertThat(problems(other, withFive(1, START), folder))
        .as("told before the start as well")
        .singleElement()
        .satisfies(
            problem -> {
              assertThat(problem.path()).isEqualTo("tasks and features");
              assertThat(problem.value()).startsWith("5 impressions wait");
            });
    assertThat(problems(TestingPipelines.shop(), withFive(1, START), folder)).isEmpty();
    assertThat(problems(other, withFive(1, Long.MAX_VALUE), folder)).isEmpty();
  }

  /** Their features are kept without names: with others they could not be read. */
  @Test
  void otherFieldsNeedADrain(@TempDir Path folder) throws Exception {
    Pipeline wider =
        TestingPipelines.shop(
            "features:\n", "features:\n  - {name: device, kind: categorical, dim: 4}\n");
    OperatorSubtaskState waiting = withFive(2, START);
    assertThatThrownBy(() -> new Stage(wider, true, 3, waiting, 2, new ArrayList<>()))
        .hasStackTraceContaining("5 impressions wait with other fields");
    new Stage(wider, true, 3, withFive(2, Long.MAX_VALUE), 2, new ArrayList<>()).close();
    assertThat(problems(wider, withFive(1, START), folder))
        .singleElement()
        .satisfies(
            problem -> assertThat(problem.value()).startsWith("5 impressions wait with other"));

    Pipeline crossed =
        TestingPipelines.shop(
            "features:\n", "features:\n  - {name: weekday, kind: time, part: weekday, dim: 4}\n");
    assertThat(problems(crossed, withFive(1, START), folder)).as("nothing more is kept").isEmpty();
  }

  private static OperatorSubtaskState withFive(int parallelism, long watermark) throws Exception {
    Stage stage = new Stage(TestingPipelines.shop(), true, parallelism, null, 0, new ArrayList<>());
    for (int i = 0; i < 5; i++) {
      stage.send(
          new Impression("i" + i, START, new RawFeatures(new String[0][], new double[0]), null));
    }
    stage.watermark(watermark);
    OperatorSubtaskState state = stage.savepoint();
    stage.close();
    return state;
  }

  private static List<Problems.Problem> problems(
      Pipeline pipeline, OperatorSubtaskState state, Path folder) throws IOException {
    OperatorState join = new OperatorState("labels", "labels", new OperatorID(1, 2), 1, 16);
    join.putState(0, state);
    try (OutputStream out = Files.newOutputStream(folder.resolve("_metadata"))) {
      Checkpoints.storeCheckpointMetadata(new CheckpointMetadata(7, List.of(join), List.of()), out);
    }
    Problems problems = new Problems();
    new CheckpointCheck(
            pipeline,
            SavepointRestoreSettings.forPath(folder.toUri().toString()),
            note -> {
              throw new AssertionError(note);
            })
        .run(problems);
    return problems.found();
  }
}
