package dev.freshet.job.codec;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.counts.CountJoin;
import dev.freshet.core.counts.CountPlan;
import dev.freshet.core.counts.CountedEvent;
import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.RawFeatures;
import dev.freshet.core.labels.LabelJoin;
import dev.freshet.core.labels.LabeledExample;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.job.counts.CountFunction;
import dev.freshet.job.counts.CountJoinFunction;
import dev.freshet.job.counts.StayActiveOperator;
import dev.freshet.job.labels.InterruptibleOperator;
import dev.freshet.job.labels.LabelJoinFunction;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.state.rocksdb.EmbeddedRocksDBStateBackend;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.KeyedTwoInputStreamOperatorTestHarness;
import org.apache.flink.streaming.util.OperatorSnapshotUtil;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Today's job goes on from yesterday's savepoints: one frozen file for every step with keyed state,
 * backend and time. To write those of today: {@code -Dgolden.write=true}.
 */
class FrozenSavepointTest {

  private static final Path FOLDER = Path.of("src/test/resources/savepoints");

  /** Savepoints that named classes of codecs. */
  private static final String FIRST = "classes";

  /** Those of today say what has been counted; between the two they named layouts. */
  private static final String TODAY = "histories";

  private static final long START = 1_767_225_600_000L;
  private static final long MINUTE = 60_000;

  private static final Pipeline PIPELINE =
      TestingPipelines.shop(
          "edges: [1, 10, 100]}",
          """
          edges: [1, 10, 100]}
            - {name: clicks, kind: count, of: click, by: item, half-life: 1h}
          """);
  private static final CountPlan PLAN = PIPELINE.counts();

  private static Stream<Arguments> files() {
    return Stream.of(FIRST, "layouts", TODAY)
        .flatMap(
            time ->
                Stream.of("labels", "counted-events", "counts")
                    .flatMap(
                        step ->
                            Stream.of("heap", "rocksdb")
                                .map(backend -> Arguments.of(step, backend, time))));
  }

  @ParameterizedTest(name = "{0} on {1}, of the time of {2}")
  @MethodSource("files")
  void goesOnFromTheFrozenState(String step, String backend, String time) throws Exception {
    Path file = FOLDER.resolve(step + "-" + backend + "-" + time + ".state");
    if (Boolean.getBoolean("golden.write") && time.equals(TODAY)) {
      OperatorSnapshotUtil.writeStateHandle(written(step, backend), file.toString());
    }
    OperatorSubtaskState state = OperatorSnapshotUtil.readStateHandle(file.toString());
    assertThat(continued(step, backend, state))
        .containsExactlyInAnyOrderElementsOf(
            switch (step) {
              case "labels" -> List.of("clicked 1.0 0.0 0.0", "silent 0.0 0.0 0.0");
              case "counted-events" -> List.of("task 0 at 2 minutes");
              default -> List.of("second after 1.0 clicks");
            });
  }

  /** By name Flink makes the serializer's snapshot; every other class may be moved. */
  @ParameterizedTest(name = "{0} on {1}, of the time of {2}")
  @MethodSource("files")
  void namesOneClassOfOurs(String step, String backend, String time) throws IOException {
    Path file = FOLDER.resolve(step + "-" + backend + "-" + time + ".state");
    String text = Files.readString(file, StandardCharsets.ISO_8859_1);
    List<String> classes =
        Pattern.compile("dev[./]freshet[\\w./$]+")
            .matcher(text)
            .results()
            .map(MatchResult::group)
            .distinct()
            .toList();
    assertThat(classes).contains("dev.freshet.job.codec.CodecSerializer$Snapshot");
    assertThat(classes.size() == 1).isEqualTo(!time.equals(FIRST));
  }

  private static OperatorSubtaskState written(String step, String backend) throws Exception {
    return switch (step) {
      case "labels" -> {
        try (var labels = labels(backend, null)) {
          labels.processElement1(new StreamRecord<>(impression("clicked", 0)));
          labels.processElement2(new StreamRecord<>(click("clicked", 1)));
          labels.processElement1(new StreamRecord<>(impression("silent", 0)));
          yield labels.snapshot(1, 1);
        }
      }
      case "counted-events" -> {
        try (var events = countedEvents(backend, null)) {
          events.processElement1(new StreamRecord<>(PLAN.slim(impression("shown", 0))));
          yield events.snapshot(1, 1);
        }
      }
      default -> {
        try (var counts = counts(backend, null)) {
          counts.processElement2(new StreamRecord<>(clicked()));
          counts.processBothWatermarks(new Watermark(START + 2 * MINUTE));
          counts.processElement1(new StreamRecord<>(impression("second", 2.0001)));
          yield counts.snapshot(1, 1);
        }
      }
    };
  }

  private static List<String> continued(String step, String backend, OperatorSubtaskState from)
      throws Exception {
    switch (step) {
      case "labels":
        try (var labels = labels(backend, from)) {
          labels.processBothWatermarks(Watermark.MAX_WATERMARK);
          return labels.extractOutputValues().stream()
              .filter(example -> example.tag().startsWith("final"))
              .map(FrozenSavepointTest::text)
              .toList();
        }
      case "counted-events":
        try (var events = countedEvents(backend, from)) {
          events.processElement2(new StreamRecord<>(click("shown", 2)));
          return events.extractOutputValues().stream()
              .map(
                  event ->
                      "task %d at %d minutes"
                          .formatted(event.event(), (event.time() - START) / MINUTE))
              .toList();
        }
      default:
        try (var counts = counts(backend, from)) {
          counts.processBothWatermarks(Watermark.MAX_WATERMARK);
          return counts.extractOutputValues().stream()
              .map(
                  impression ->
                      impression.id()
                          + " after "
                          + Math.round(((RawFeatures) impression.features()).numbers()[1] * 10)
                              / 10.0
                          + " clicks")
              .toList();
        }
    }
  }

  private static CountedEvent clicked() throws Exception {
    try (var events = countedEvents("heap", null)) {
      events.processElement1(new StreamRecord<>(PLAN.slim(impression("first", 0))));
      events.processElement2(new StreamRecord<>(click("first", 2)));
      return events.extractOutputValues().get(0);
    }
  }

  private static Impression impression(String id, double minutes) {
    String[][] categories = {{}, {"u"}, {"i"}};
    RawFeatures features = new RawFeatures(categories, new double[] {7, Double.NaN});
    return new Impression(id, START + (long) (minutes * MINUTE), features, null);
  }

  private static Feedback click(String id, int minutes) {
    return new Feedback(id, id + "c", 0, START + minutes * MINUTE, 1);
  }

  private static String text(LabeledExample example) {
    StringBuilder line = new StringBuilder(example.impression().id());
    for (TaskLabel label : example.labels()) {
      line.append(' ').append(label.value());
    }
    return line.toString();
  }

  private static KeyedTwoInputStreamOperatorTestHarness<
          String, Impression, Feedback, LabeledExample>
      labels(String backend, OperatorSubtaskState from) throws Exception {
    LabelJoin join = new LabelJoin(PIPELINE.tasks(), PIPELINE.labels(), false);
    var harness =
        new KeyedTwoInputStreamOperatorTestHarness<>(
            new InterruptibleOperator<>(new LabelJoinFunction(join, PIPELINE.schema().layout())),
            Impression::id,
            Feedback::impressionId,
            Types.STRING);
    harness.setup(CodecTypeInfo.LABELED.createSerializer(null));
    return open(harness, backend, from);
  }

  private static KeyedTwoInputStreamOperatorTestHarness<String, Impression, Feedback, CountedEvent>
      countedEvents(String backend, OperatorSubtaskState from) throws Exception {
    CountJoin join = new CountJoin(PLAN, PIPELINE.tasks(), PIPELINE.labels());
    var harness =
        new KeyedTwoInputStreamOperatorTestHarness<>(
            new StayActiveOperator<>(new CountJoinFunction(join)),
            Impression::id,
            Feedback::impressionId,
            Types.STRING);
    harness.setup(CodecTypeInfo.COUNTED_EVENT.createSerializer(null));
    return open(harness, backend, from);
  }

  private static KeyedTwoInputStreamOperatorTestHarness<Long, Impression, CountedEvent, Impression>
      counts(String backend, OperatorSubtaskState from) throws Exception {
    CountPlan.By by = PLAN.by().get(0);
    var harness =
        new KeyedTwoInputStreamOperatorTestHarness<Long, Impression, CountedEvent, Impression>(
            new StayActiveOperator<>(
                new CountFunction(by, PIPELINE.tasks(), PIPELINE.schema().layout())),
            impression -> CountFunction.key(by, impression),
            event -> event.keys()[0],
            Types.LONG);
    harness.setup(CodecTypeInfo.IMPRESSION.createSerializer(null));
    return open(harness, backend, from);
  }

  private static <K, A, B, C> KeyedTwoInputStreamOperatorTestHarness<K, A, B, C> open(
      KeyedTwoInputStreamOperatorTestHarness<K, A, B, C> harness,
      String backend,
      OperatorSubtaskState from)
      throws Exception {
    if (backend.equals("rocksdb")) {
      harness.setStateBackend(new EmbeddedRocksDBStateBackend());
    }
    if (from != null) {
      harness.initializeState(from);
    }
    harness.open();
    return harness;
  }
}
