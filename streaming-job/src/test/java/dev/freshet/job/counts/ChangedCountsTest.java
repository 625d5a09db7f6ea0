package dev.freshet.job.counts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.freshet.core.counts.CountJoin;
import dev.freshet.core.counts.CountPlan;
import dev.freshet.core.counts.CountedEvent;
import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.RawFeatures;
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
import java.util.Arrays;
import java.util.List;
import org.apache.flink.api.common.typeinfo.Types;
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
import org.apache.flink.streaming.util.AbstractStreamOperatorTestHarness;
import org.apache.flink.streaming.util.KeyedTwoInputStreamOperatorTestHarness;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Savepoints of the counts that are gone on from with other fields, or with other counts. */
class ChangedCountsTest {

  private static final long START = 1_767_225_600_000L;
  private static final long MINUTE = 60_000;
  private static final long HOUR = 60 * MINUTE;
  private static final int MAX_PARALLELISM = 16;

  private static final String CLICKS =
      "  - {name: clicks, kind: count, of: click, by: item, half-life: 1h}\n";
  private static final String SHOWS =
      "  - {name: shows, kind: count, of: impression, by: item, half-life: 1h}\n";
  private static final String RATE =
      "  - {name: rate, kind: count, of: click, per: impression, by: item, half-life: 1h, least:"
          + " 1}\n";

  @TempDir private Path folder;
  private final List<String> notes = new ArrayList<>();

  private static Pipeline counting(String... counts) {
    return TestingPipelines.shop(
        "edges: [1, 10, 100]}\n", "edges: [1, 10, 100]}\n" + String.join("", counts));
  }

  /** Counts by items, all in one subtask of so many. */
  private static final class Counts implements AutoCloseable {
    private final KeyedTwoInputStreamOperatorTestHarness<Long, Impression, CountedEvent, Impression>
        subtask;

    Counts(Pipeline pipeline, OperatorSubtaskState from) throws Exception {
      this(pipeline, from, 1, 1, 0);
    }

    Counts(Pipeline pipeline, OperatorSubtaskState from, int before, int parallelism, int index)
        throws Exception {
      CountPlan.By item =
          pipeline.counts().by().stream()
              .filter(by -> by.field().equals("item"))
              .findAny()
              .orElseThrow();
      subtask =
          new KeyedTwoInputStreamOperatorTestHarness<>(
              new StayActiveOperator<>(
                  new CountFunction(item, pipeline.tasks(), pipeline.schema().layout())),
              impression -> CountFunction.key(item, impression),
              event -> event.keys()[0],
              Types.LONG,
              MAX_PARALLELISM,
              parallelism,
              index);
      subtask.setup(CodecTypeInfo.IMPRESSION.createSerializer(null));
      open(subtask, from, before, parallelism, index);
    }

    /** The numbers of an impression of the item, as it leaves when its minute has passed. */
    double[] told(Pipeline pipeline, int minute) throws Exception {
      subtask.processElement1(new StreamRecord<>(shown(pipeline, "i" + minute, minute)));
      subtask.processBothWatermarks(new Watermark(START + minute * MINUTE));
      List<Impression> out = subtask.extractOutputValues();
      return ((RawFeatures) out.get(out.size() - 1).features()).numbers();
    }

    void events(int event, int count, int minute) throws Exception {
      long key = new CountPlan.By("item", 0, List.of(), List.of()).key(ofItem(1, 0));
      for (int i = 0; i < count; i++) {
        CountedEvent one = new CountedEvent(event, START + minute * MINUTE, new long[] {key});
        subtask.processElement2(new StreamRecord<>(one));
      }
    }

    @Override
    public void close() throws Exception {
      subtask.close();
    }
  }

  private static void open(
      AbstractStreamOperatorTestHarness<?> subtask,
      OperatorSubtaskState from,
      int before,
      int parallelism,
      int index)
      throws Exception {
    try {
      if (from != null) {
        subtask.initializeState(
            AbstractStreamOperatorTestHarness.repartitionOperatorState(
                from, MAX_PARALLELISM, before, parallelism, index));
      }
      subtask.open();
    } catch (Exception e) {
      subtask.close();
      throw e;
    }
  }

  private static RawFeatures ofItem(int categories, int numbers) {
    String[][] values = new String[categories][];
    Arrays.fill(values, new String[] {"p"});
    double[] none = new double[numbers];
    Arrays.fill(none, Double.NaN);
    return new RawFeatures(values, none);
  }

  private static Impression shown(Pipeline pipeline, String id, int minute) {
    RawFeatures features =
        ofItem(pipeline.schema().categorical().size(), pipeline.schema().numeric().size());
    return new Impression(id, START + minute * MINUTE, features, null);
  }

  /** What is to be told a count lies by the places of fields: others would be told it. */
  @Test
  void otherFieldsWaitForNoImpressionOfBefore() throws Exception {
    Pipeline counting = counting(CLICKS);
    Pipeline wider = counting(CLICKS, "  - {name: device, kind: categorical, dim: 4}\n");
    OperatorSubtaskState waiting;
    OperatorSubtaskState nothing;
    try (Counts counts = new Counts(counting, null)) {
      for (int i = 0; i < 5; i++) {
        counts.subtask.processElement1(new StreamRecord<>(shown(counting, "i" + i, i)));
      }
      waiting = counts.subtask.snapshot(1, 1);
      counts.subtask.processBothWatermarks(new Watermark(START + HOUR));
      nothing = counts.subtask.snapshot(2, 2);
    }
    for (int i = 0; i < 3; i++) {
      int index = i;
      assertThatThrownBy(() -> new Counts(wider, waiting, 1, 3, index))
          .satisfies(ChangedCountsTest::isNotTriedAgain)
          .hasStackTraceContaining("5 impressions wait for their counts with other fields");
      new Counts(wider, nothing, 1, 3, index).close();
    }
    assertThat(problems(wider, "counts-item", waiting))
        .singleElement()
        .satisfies(
            problem -> {
              assertThat(problem.path()).isEqualTo("tasks and features");
              assertThat(problem.value()).startsWith("5 impressions wait for their counts");
            });
    assertThat(problems(wider, "counts-item", nothing)).isEmpty();
    assertThat(problems(counting, "counts-item", waiting)).isEmpty();
    assertThat(notes).isEmpty();
  }

  private static void isNotTriedAgain(Throwable e) {
    assertThat(ThrowableClassifier.getThrowableType(e))
        .isEqualTo(ThrowableType.NonRecoverableError);
  }

  /** Keys of values lie by the places of the fields by which is counted. */
  @Test
  void feedbackCountsByTheFieldsOfItsImpression() throws Exception {
    Pipeline counting = counting(CLICKS);
    Pipeline byUser = counting(CLICKS.replace("by: item", "by: user"));
    OperatorSubtaskState kept;
    OperatorSubtaskState nothing;
    try (var join = join(counting, null, 1, 0)) {
      join.processElement1(new StreamRecord<>(counting.counts().slim(shown(counting, "shown", 0))));
      kept = join.snapshot(1, 1);
      join.processBothWatermarks(new Watermark(START + 1000 * HOUR));
      nothing = join.snapshot(2, 2);
    }
    String why = "1 impressions wait for feedback that counts by item, not by user";
    for (int i = 0; i < 2; i++) {
      int index = i;
      assertThatThrownBy(() -> join(byUser, kept, 2, index))
          .satisfies(ChangedCountsTest::isNotTriedAgain)
          .hasStackTraceContaining(why);
      join(byUser, nothing, 2, index).close();
    }
    assertThat(problems(byUser, CountJoinFunction.UID, kept))
        .singleElement()
        .satisfies(problem -> assertThat(problem.value()).startsWith(why));
    assertThat(problems(byUser, CountJoinFunction.UID, nothing)).isEmpty();
    assertThat(problems(counting, CountJoinFunction.UID, kept)).isEmpty();
    Pipeline slower = counting(CLICKS.replace("1h", "2h"), SHOWS);
    try (var join = join(slower, kept, 1, 0)) {
      join.processElement2(new StreamRecord<>(new Feedback("shown", "c", 0, START + MINUTE, 1)));
      assertThat(join.extractOutputValues()).singleElement();
    }
  }

  /** Places of the others stay what they were. */
  @Test
  void theLastFieldByWhichIsCountedMayFallAway() throws Exception {
    Pipeline counting = counting(CLICKS);
    Pipeline both =
        counting(CLICKS, CLICKS.replace("name: ", "name: users-").replace("item", "user"));
    OperatorSubtaskState kept;
    try (var join = join(both, null, 1, 0)) {
      join.processElement1(new StreamRecord<>(both.counts().slim(shown(both, "shown", 0))));
      kept = join.snapshot(1, 1);
    }
    assertThat(problems(counting, CountJoinFunction.UID, kept, true)).isEmpty();
    try (var join = join(counting, kept, 1, 0)) {
      join.processElement2(new StreamRecord<>(new Feedback("shown", "c", 0, START + MINUTE, 1)));
      assertThat(join.extractOutputValues()).singleElement();
    }
  }

  private static KeyedTwoInputStreamOperatorTestHarness<String, Impression, Feedback, CountedEvent>
      join(Pipeline pipeline, OperatorSubtaskState from, int parallelism, int index)
          throws Exception {
    CountJoin join = new CountJoin(pipeline.counts(), pipeline.tasks(), pipeline.labels());
    var harness =
        new KeyedTwoInputStreamOperatorTestHarness<>(
            new StayActiveOperator<>(new CountJoinFunction(join)),
            Impression::id,
            Feedback::impressionId,
            Types.STRING,
            MAX_PARALLELISM,
            parallelism,
            index);
    harness.setup(CodecTypeInfo.COUNTED_EVENT.createSerializer(null));
    open(harness, from, 1, parallelism, index);
    return harness;
  }

  /** And is not taken for what it was when it is set back: events in between are not in that. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void aChangedHalfLifeStartsAnewAndTheOtherCountsGoOn(int changes) throws Exception {
    Pipeline counting = counting(CLICKS, SHOWS);
    Pipeline slower = counting(CLICKS.replace("1h", "2h"), SHOWS);
    OperatorSubtaskState state;
    try (Counts counts = new Counts(counting, null)) {
      counts.events(0, 8, 0);
      counts.events(CountedEvent.IMPRESSION, 16, 0);
      assertThat(counts.told(counting, 60)).containsExactly(Double.NaN, 4, 8);
      state = counts.subtask.snapshot(1, 1);
    }
    for (int change = 1; change <= changes; change++) {
      Pipeline now = change == 1 ? slower : counting;
      assertThat(problems(now, "counts-item", state)).isEmpty();
      assertThat(notes)
          .hasSize(change)
          .last()
          .isEqualTo("Counts that were not counted before start at 0: clicks");
      try (Counts counts = new Counts(now, state)) {
        assertThat(counts.told(now, 59 + 2 * change)).startsWith(Double.NaN, 0);
        counts.events(0, 4, 60 + 2 * change);
        counts.subtask.processBothWatermarks(new Watermark(START + (60 + 2 * change) * MINUTE));
        state = counts.subtask.snapshot(1, 1);
      }
    }
    Pipeline last = changes == 1 ? slower : counting;
    assertThat(problems(last, "counts-item", state)).isEmpty();
    assertThat(notes).as("nothing is new any more").hasSize(changes);
    try (Counts counts = new Counts(last, state)) {
      double[] told = counts.told(last, 60 + 2 * changes + 120);
      assertThat(told[1]).isEqualTo(changes == 1 ? 2 : 1);
      assertThat(told[2]).isCloseTo(16 * Math.pow(2, -(180 + 2 * changes) / 60.0), within(1e-9));
    }
  }

  /** A rate of what was counted for a day by what is counted for a minute would be none. */
  @Test
  void aRateStartsWithBothItsCounts() throws Exception {
    Pipeline counting = counting(CLICKS);
    Pipeline rated = counting(CLICKS, RATE);
    OperatorSubtaskState state;
    try (Counts counts = new Counts(counting, null)) {
      counts.events(0, 100, 0);
      assertThat(counts.told(counting, 1)[1]).isGreaterThan(90);
      state = counts.subtask.snapshot(1, 1);
    }
    assertThat(problems(rated, "counts-item", state)).isEmpty();
    assertThat(notes).singleElement().asString().endsWith("start at 0: rate");
    try (Counts counts = new Counts(rated, state)) {
      counts.events(CountedEvent.IMPRESSION, 4, 60);
      counts.events(0, 2, 60);
      assertThat(counts.told(rated, 120)).containsExactly(Double.NaN, 25 + 1, 0.5);
      state = counts.subtask.snapshot(1, 1);
    }
    assertThat(problems(rated, "counts-item", state)).isEmpty();
    assertThat(notes).hasSize(1);
    try (Counts counts = new Counts(rated, state)) {
      counts.events(CountedEvent.IMPRESSION, 2, 120);
      assertThat(counts.told(rated, 180)).containsExactly(Double.NaN, 13, 0.25);
    }
  }

  @Test
  void countsThatAreGoneAreLeftBehindIfThatIsWanted() throws Exception {
    Pipeline counting = counting(CLICKS);
    OperatorSubtaskState state;
    try (Counts counts = new Counts(counting, null)) {
      state = counts.subtask.snapshot(1, 1);
    }
    Pipeline byUser = counting(CLICKS.replace("by: item", "by: user"));
    for (Pipeline other : List.of(byUser, TestingPipelines.shop())) {
      assertThat(problems(other, "counts-item", state))
          .singleElement()
          .satisfies(
              problem -> {
                assertThat(problem.value()).isEqualTo("no counts by item");
                assertThat(problem.allowed()).contains("`submit --allow-non-restored`");
              });
      assertThat(problems(other, "counts-item", state, true)).isEmpty();
    }
    assertThat(notes).as("counts by a user").isNotEmpty();
    assertThat(notes).allSatisfy(note -> assertThat(note).contains("start at 0: "));
  }

  private List<Problems.Problem> problems(Pipeline pipeline, String uid, OperatorSubtaskState state)
      throws IOException {
    return problems(pipeline, uid, state, false);
  }

  private List<Problems.Problem> problems(
      Pipeline pipeline, String uid, OperatorSubtaskState state, boolean leaveBehind)
      throws IOException {
    OperatorState step = new OperatorState(uid, uid, new OperatorID(1, 2), 1, MAX_PARALLELISM);
    step.putState(0, state);
    try (OutputStream out = Files.newOutputStream(folder.resolve("_metadata"))) {
      Checkpoints.storeCheckpointMetadata(new CheckpointMetadata(7, List.of(step), List.of()), out);
    }
    Problems problems = new Problems();
    new CheckpointCheck(
            pipeline,
            SavepointRestoreSettings.forPath(folder.toUri().toString(), leaveBehind),
            notes::add)
        .run(problems);
    return problems.found();
  }
}
