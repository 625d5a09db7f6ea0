package dev.freshet.core.codec;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.counts.CountJoin;
import dev.freshet.core.counts.CountMoment;
import dev.freshet.core.counts.CountMomentCodec;
import dev.freshet.core.counts.CountedEvent;
import dev.freshet.core.counts.CountedEventCodec;
import dev.freshet.core.counts.CountedImpression;
import dev.freshet.core.counts.CountedImpressionCodec;
import dev.freshet.core.counts.DecayedCounts;
import dev.freshet.core.counts.DecayedCountsCodec;
import dev.freshet.core.events.Deadline;
import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.FeedbackCodec;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.ImpressionCodec;
import dev.freshet.core.events.RawFeatures;
import dev.freshet.core.events.Served;
import dev.freshet.core.events.SourcePosition;
import dev.freshet.core.events.SourcePositionCodec;
import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.features.EncodedExampleCodec;
import dev.freshet.core.features.FeatureEncoder;
import dev.freshet.core.features.FeatureSchema;
import dev.freshet.core.labels.DropReason;
import dev.freshet.core.labels.DroppedEvent;
import dev.freshet.core.labels.DroppedEventCodec;
import dev.freshet.core.labels.LabelJoin;
import dev.freshet.core.labels.LabelKind;
import dev.freshet.core.labels.LabeledExample;
import dev.freshet.core.labels.LabeledExampleCodec;
import dev.freshet.core.labels.PendingImpression;
import dev.freshet.core.labels.PendingImpressionCodec;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.core.snapshot.ModelRecord;
import dev.freshet.core.snapshot.ModelRecordCodec;
import java.io.ByteArrayInputStream;
import java.io.DataInput;
import java.io.DataInputStream;
import java.io.DataOutput;
import java.io.IOException;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Today's code reads yesterday's bytes: one frozen file for every version of every layout. A layout
 * that changes gets a new version and a new file; the old file stays. To write a file that is not
 * there yet, run once with {@code -Dgolden.write=true}.
 */
class GoldenBytesTest {

  private static final Impression IMPRESSION =
      new Impression(
          "i\u00e9",
          1_767_225_600_000L,
          new RawFeatures(new String[][] {{"a", "b"}, {}}, new double[] {1.5, Double.NaN}),
          new Served("m", "1-2", new double[] {0.25, Double.NaN}));
  private static final Impression WEIGHTED =
      IMPRESSION.withFeatures(
          new RawFeatures(
              new String[][] {{"a", "b"}, {}},
              new double[] {1.5, Double.NaN},
              new float[][] {{0.7f, 3}, {}}));
  private static final TaskLabel[] CHANGES = {
    TaskLabel.NONE, new TaskLabel(LabelKind.LATE_COPY, 7.5, 1, 60, 50, false, true, 3)
  };

  private static final List<Deadline> DEADLINES =
      List.of(
          Deadline.at(1_767_225_600_000L + 86_400_000),
          Deadline.ABSENT,
          Deadline.after(7_200_000),
          Deadline.invalid(""));

  private static EncodedExample withWeights(float... weights) {
    return new EncodedExample(
        GoldenBytes.ENCODED.id(),
        GoldenBytes.ENCODED.impression(),
        GoldenBytes.ENCODED.eventTime(),
        GoldenBytes.ENCODED.holdout(),
        GoldenBytes.ENCODED.keys(),
        GoldenBytes.ENCODED.starts(),
        weights,
        GoldenBytes.ENCODED.labels(),
        GoldenBytes.ENCODED.served());
  }

  static Stream<Arguments> layouts() {
    return Stream.of(
        Arguments.of("impression-1", new ImpressionCodec(), IMPRESSION),
        Arguments.of("impression-2", new ImpressionCodec(), compact()),
        Arguments.of("impression-3", new ImpressionCodec(), IMPRESSION.withDeadlines(DEADLINES)),
        Arguments.of("impression-4", new ImpressionCodec(), compact().withDeadlines(DEADLINES)),
        Arguments.of("impression-5", new ImpressionCodec(), WEIGHTED),
        Arguments.of("impression-6", new ImpressionCodec(), WEIGHTED.withDeadlines(DEADLINES)),
        Arguments.of(
            "feedback-1", new FeedbackCodec(), new Feedback("i", "e", 2, 1_767_225_600_000L, -3.5)),
        Arguments.of(
            "source-position-1",
            new SourcePositionCodec(),
            new SourcePosition("clicks", 3, 42, 1_767_225_600_500L)),
        Arguments.of(
            "labeled-example-1",
            new LabeledExampleCodec(),
            new LabeledExample(IMPRESSION, 1_767_226_200_000L, GoldenBytes.LABELS)),
        Arguments.of("encoded-example-2", new EncodedExampleCodec(), GoldenBytes.ENCODED),
        Arguments.of("encoded-example-3", new EncodedExampleCodec(), withWeights(0.75f, 0.25f, 1)),
        Arguments.of(
            "dropped-event-1",
            new DroppedEventCodec(),
            new DroppedEvent(DropReason.LATE, "i", "e", 1, 1_767_225_600_000L, 1)),
        Arguments.of(
            "dropped-event-2",
            new DroppedEventCodec(),
            new DroppedEvent(DropReason.BEFORE_PARENT, "i", "e", 1, 1_767_225_600_000L, 1, 5001)),
        Arguments.of(
            "pending-impression-3",
            named(),
            pending("revise", 75, IMPRESSION.withDeadlines(DEADLINES))),
        Arguments.of(
            "pending-impression-4",
            named(),
            pending("revise", 75, WEIGHTED.withDeadlines(DEADLINES))),
        Arguments.of(
            "labeled-example-changes-1",
            new LabeledExampleCodec(),
            new LabeledExample(IMPRESSION, 1_767_226_200_000L, CHANGES)),
        Arguments.of(
            "counted-event-1",
            new CountedEventCodec(),
            new CountedEvent(CountedEvent.IMPRESSION, 1_767_225_600_000L, new long[] {0, -7})),
        Arguments.of(
            "count-moment-1",
            new CountMomentCodec(),
            CountMoment.EMPTY.withImpression().withEvent(1).withEvent(1)),
        Arguments.of("counted-impression-1", new CountedImpressionCodec(), counted(true)),
        Arguments.of("counted-impression-waiting-1", new CountedImpressionCodec(), counted(false)),
        Arguments.of("decayed-counts-1", new DecayedCountsCodec(), decayed()),
        Arguments.of(
            "model-record-1",
            new ModelRecordCodec(),
            new ModelRecord("main/0/1", new byte[] {1, 2, 3}, "5-6", 1, 4)));
  }

  private static Pipeline counting() {
    return TestingPipelines.shop(
        "edges: [1, 10, 100]}",
        "edges: [1, 10, 100]}\n  - {name: often, kind: count, of: click, by: item, half-life: 1h}");
  }

  private static CountedImpression counted(boolean shown) {
    Pipeline pipeline = counting();
    CountJoin join = new CountJoin(pipeline.counts(), pipeline.tasks(), pipeline.labels());
    CountJoin.Output nowhere =
        new CountJoin.Output() {
          @Override
          public void counted(CountedEvent event) {}

          @Override
          public void missed(CountJoin.Missed why) {}
        };
    CountedImpression kept = new CountedImpression();
    if (shown) {
      String[][] categories = {{}, {"u"}, {"i"}};
      RawFeatures raw = new RawFeatures(categories, new double[] {1, 2});
      join.onImpression(kept, new Impression("i", 1_767_225_600_000L, raw, null), 0, nowhere);
    }
    join.onFeedback(kept, new Feedback("i", "c", 0, 1_767_225_601_000L, 1), 0, nowhere);
    return kept;
  }

  private static DecayedCounts decayed() {
    DecayedCounts counts = new DecayedCounts();
    counts.add(counting().counts().by().get(0).counters().get(0), 1_767_225_600_000L, 2);
    counts.timer(1_767_225_600_001L);
    return counts;
  }

  /** The layout leaves the id out; the join puts it back. */
  private static Codec<PendingImpression> named() {
    PendingImpressionCodec codec = new PendingImpressionCodec();
    return new Codec<>() {
      @Override
      public Layout layout() {
        return codec.layout();
      }

      @Override
      public void write(PendingImpression pending, DataOutput out) throws IOException {
        codec.write(pending, out);
      }

      @Override
      public PendingImpression read(DataInput in) throws IOException {
        return codec.read(in).named(IMPRESSION.id());
      }
    };
  }

  private static Impression compact() {
    FeatureSchema schema = TestingPipelines.shop().schema();
    String[][] categories = {{"short", "longer than eight bytes"}, {"u"}, {}};
    RawFeatures raw = new RawFeatures(categories, new double[] {42});
    Served served = new Served("", "", new double[] {0.25, Double.NaN, 3});
    return new Impression("i", 1_767_225_600_000L, new FeatureEncoder(schema).compact(raw), served);
  }

  private static PendingImpression pending(String correction, int minutes, Impression impression) {
    var pipeline =
        TestingPipelines.shop("{orphan-wait", "{correction: " + correction + ", orphan-wait");
    LabelJoin join = new LabelJoin(pipeline.tasks(), pipeline.labels(), false);
    PendingImpression pending = new PendingImpression(3);
    LabelJoin.Output nowhere =
        new LabelJoin.Output() {
          @Override
          public void example(LabeledExample example) {}

          @Override
          public void dropped(DroppedEvent event) {}
        };
    join.onImpression(pending, impression, 0, nowhere);
    join.onFeedback(pending, new Feedback("i\u00e9", "c", 0, 1_767_225_601_000L, 1), 0, nowhere);
    long until = IMPRESSION.eventTime() + minutes * 60_000L;
    for (long at = join.nextMoment(pending); at <= until; at = join.nextMoment(pending)) {
      join.onTimer(pending, at, nowhere);
    }
    pending.timer(join.nextMoment(pending));
    return pending;
  }

  /**
   * Version 1 knew no moments and no amounts, version 2 no deadlines; both are read as they were.
   */
  @Test
  void readsPendingImpressionsOfEarlierVersions() throws IOException {
    DataInputStream first =
        new DataInputStream(new ByteArrayInputStream(GoldenBytes.read("pending-impression-1")));
    DataInputStream second =
        new DataInputStream(new ByteArrayInputStream(GoldenBytes.read("pending-impression-2")));
    assertThat(new PendingImpressionCodec().read(first))
        .usingRecursiveComparison()
        .withEqualsForType(Double::equals, Double.class)
        .isEqualTo(pending("wait", 10, IMPRESSION));
    assertThat(named().read(second))
        .usingRecursiveComparison()
        .withEqualsForType(Double::equals, Double.class)
        .isEqualTo(pending("revise", 75, IMPRESSION));
    assertThat(first.available() + second.available()).isZero();
  }

  /** Version 1 did not name impressions. */
  @Test
  void readsExamplesOfVersionOneByTheirHash() throws IOException {
    DataInputStream in =
        new DataInputStream(new ByteArrayInputStream(GoldenBytes.read("encoded-example-1")));
    assertThat(new EncodedExampleCodec().read(in))
        .usingRecursiveComparison()
        .isEqualTo(GoldenBytes.UNNAMED);
    assertThat(in.available()).isZero();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("layouts")
  <T> void readsAndWritesTheFrozenBytes(String name, Codec<T> codec, T value) throws IOException {
    GoldenBytes.check(name, codec, value);
  }
}
