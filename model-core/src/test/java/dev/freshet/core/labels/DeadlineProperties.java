package dev.freshet.core.labels;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.events.Deadline;
import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.RawFeatures;
import dev.freshet.core.labels.correction.DelayCorrections;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.core.settings.EnumNames;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;

/** Windows that the impression itself ends are windows in every respect. */
class DeadlineProperties {

  private static final long SHOWN = 1_767_225_600_000L;
  private static final long MINUTE = 60_000;
  private static final long[] WINDOWS = {10 * MINUTE, 60 * MINUTE, 60 * MINUTE};

  /** What an impression says of one task: a time, a length, nothing, or nothing of use. */
  record Said(boolean time, Deadline deadline) {}

  private static Pipeline pipeline(String correction, List<Said> said) {
    String text =
        TestingPipelines.SHOP.replace(
            "{orphan-wait", "{correction: " + correction + ", orphan-wait");
    String[] windows = {"binary, window: 10m", "click, window: 1h", "purchase, window: 1h"};
    for (int task = 0; task < 3; task++) {
      String field = said.get(task).time() ? "at: f" : "after: f, unit: 1m";
      text = text.replace(windows[task], windows[task] + ", deadline: {" + field + "}");
    }
    return PipelineFile.parse(text, "test");
  }

  /** The last moment that counts after each parent, as plainly as possible. */
  private static long closes(int task, Said said, long parent) {
    long usual = parent + WINDOWS[task];
    return switch (said.deadline().kind()) {
      case AT ->
          said.deadline().millis() > SHOWN ? Math.min(usual, said.deadline().millis()) : usual;
      case AFTER ->
          said.deadline().millis() > 0 ? Math.min(usual, parent + said.deadline().millis()) : usual;
      default -> usual;
    };
  }

  private static double[] oracle(List<Feedback> events, List<Said> said) {
    double[] labels = new double[3];
    Set<Long> parents = Set.of(SHOWN);
    for (int task = 0; task < 3; task++) {
      Set<Long> next = new HashSet<>();
      for (Feedback event : events) {
        Set<Long> times = new HashSet<>();
        for (long parent : parents) {
          long counts = Math.max(event.eventTime(), parent);
          if (event.eventTime() >= parent - 5_000
              && counts <= closes(task, said.get(task), parent)) {
            times.add(counts);
          }
        }
        if (event.task() == task && !times.isEmpty()) {
          next.addAll(times);
          labels[task] = task < 2 ? 1 : labels[task] + event.value();
        }
      }
      parents = next;
    }
    return labels;
  }

  @Property(tries = 2000)
  void labelsAreThoseOfWhoSeesAllEventsAndTheDeadline(
      @ForAll("events") List<Feedback> events,
      @ForAll("said") List<Said> said,
      @ForAll("corrections") String correction,
      @ForAll long order)
      throws IOException {
    Pipeline pipeline = pipeline(correction, said);
    LabelJoin join = new LabelJoin(pipeline.tasks(), pipeline.labels(), false);
    Recorder recorder = new Recorder();
    PendingImpression pending = new PendingImpression(3);
    List<Object> arrivals = new ArrayList<>(events);
    arrivals.add(shown(said));
    Collections.shuffle(arrivals, new Random(order));
    for (Object arrival : arrivals) {
      if (arrival instanceof Impression impression) {
        join.onImpression(pending, impression, Long.MIN_VALUE, recorder);
      } else {
        join.onFeedback(pending, (Feedback) arrival, Long.MIN_VALUE, recorder);
      }
    }
    long horizon = 0;
    for (long at = join.nextMoment(pending); !pending.finished(); at = join.nextMoment(pending)) {
      join.onTimer(pending, at, recorder);
      horizon = at;
      pending = restored(pending);
    }

    double[] expected = oracle(events, said);
    int[] finals = new int[3];
    long[] told = {SHOWN, SHOWN, SHOWN};
    for (LabeledExample example : recorder.examples) {
      for (int task = 0; task < 3; task++) {
        TaskLabel label = example.labels()[task];
        if (label.isFinal()) {
          finals[task]++;
          told[task] = example.emittedAt();
          assertThat(label.value()).as("task %s of %s", task, events).isEqualTo(expected[task]);
        }
      }
    }
    assertThat(finals).containsOnly(1);
    assertThat(horizon).isLessThanOrEqualTo(SHOWN + WINDOWS[0] + WINDOWS[1] + WINDOWS[2]);
    if (correction.equals("wait")) {
      long opens = SHOWN;
      for (int task = 0; task < 3; task++) {
        opens = Math.max(opens, closes(task, said.get(task), opens));
        assertThat(told[task]).as("yes and no alike are told at one moment").isEqualTo(opens);
      }
    }
  }

  private static Impression shown(List<Said> said) {
    RawFeatures features = new RawFeatures(new String[0][], new double[0]);
    return new Impression("i", SHOWN, features, null)
        .withDeadlines(said.stream().map(Said::deadline).toList());
  }

  private static PendingImpression restored(PendingImpression pending) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    PendingImpressionCodec codec = new PendingImpressionCodec();
    codec.write(pending, new DataOutputStream(bytes));
    return codec
        .read(new DataInputStream(new ByteArrayInputStream(bytes.toByteArray())))
        .named("i");
  }

  /** A stay and a cancellation of one booking date leave together, at the check-out. */
  @Example
  void reportedOutcomesAreToldAtTheDeadlineAndNotWhenTheyComeIn() {
    Pipeline pipeline =
        TestingPipelines.shop(
            "binary, window: 10m",
            "binary, window: 10m, negatives: explicit, deadline: {at: check_out, grace: 1m}");
    LabelJoin join = new LabelJoin(pipeline.tasks(), pipeline.labels(), false);
    long checkOut = SHOWN + 5 * MINUTE;
    Map<Double, Long> told = new HashMap<>();
    for (double outcome : new double[] {0, 1}) {
      PendingImpression pending = new PendingImpression(3);
      Recorder recorder = new Recorder();
      Said said = new Said(true, Deadline.at(checkOut));
      join.onImpression(pending, shown(List.of(said)), Long.MIN_VALUE, recorder);
      long known = outcome == 0 ? SHOWN + MINUTE : checkOut + MINUTE;
      join.onFeedback(pending, new Feedback("i", "o", 0, known, outcome), 0, recorder);
      join.onFeedback(pending, new Feedback("i", "p", 0, known + 1, 1 - outcome), 0, recorder);
      join.onTimer(pending, join.nextMoment(pending), recorder);
      LabeledExample example = recorder.examples.get(0);
      told.put(example.labels()[0].value(), example.emittedAt());
    }
    assertThat(told)
        .as("the first outcome is the label")
        .isEqualTo(Map.of(0.0, checkOut + MINUTE, 1.0, checkOut + MINUTE));
  }

  /** Parts of a window are told at their ends, once each, whatever is restored in between. */
  @Property(tries = 300)
  void whatAPendingImpressionHasSurvivedIsToldPartByPart(
      @ForAll @IntRange(min = 1, max = 100) int share, @ForAll boolean stays) throws IOException {
    Pipeline pipeline =
        PipelineFile.parse(
            TestingPipelines.SHOP
                .replace("{orphan-wait", "{correction: hazard, orphan-wait")
                .replace(
                    "binary, window: 10m",
                    "binary, window: 600m, negatives: explicit, deadline: {at: check_out}"),
            "test");
    assertThat(pipeline.tasks().get(1).correction())
        .as("its noes are not reported")
        .isEqualTo(DelayCorrections.WAIT);
    LabelJoin join = new LabelJoin(pipeline.tasks(), pipeline.labels(), false);
    Recorder recorder = new Recorder();
    PendingImpression pending = new PendingImpression(3);
    Said said = new Said(true, Deadline.at(SHOWN + 100 * MINUTE));
    join.onImpression(pending, shown(List.of(said)), Long.MIN_VALUE, recorder);
    long known = SHOWN + share * MINUTE;
    join.onFeedback(pending, new Feedback("i", "o", 0, known, stays ? 1 : 0), 0, recorder);
    for (long at = join.nextMoment(pending); !pending.finished(); at = join.nextMoment(pending)) {
      join.onTimer(pending, at, recorder);
      pending = restored(pending);
    }
    List<String> told = new ArrayList<>();
    for (LabeledExample example : recorder.examples) {
      TaskLabel label = example.labels()[0];
      if (label.present()) {
        long minute = (example.emittedAt() - SHOWN) / MINUTE;
        told.add(minute + " " + label.kind() + " " + label.changes() + " " + label.value());
      }
    }
    List<String> expected = new ArrayList<>();
    int[] ends = {3, 10, 25, 50, 75, 100};
    for (int part = 0; part < ends.length; part++) {
      boolean decided = share <= ends[part];
      LabelKind kind = decided ? LabelKind.FINAL : part == 0 ? LabelKind.FIRST : LabelKind.PENDING;
      expected.add(ends[part] + " " + kind + " " + part + " " + (decided && stays ? 1.0 : 0.0));
      if (decided) {
        break;
      }
    }
    assertThat(told).isEqualTo(expected);
    assertThat(recorder.examples.stream().map(LabeledExample::tag).toList())
        .as("an example is known by its tag")
        .doesNotHaveDuplicates();
  }

  @Example
  void whatBecameOfADeadlineIsTold() {
    Said none = new Said(true, Deadline.ABSENT);
    assertThat(use(none)).isEqualTo(DeadlineUse.ABSENT);
    assertThat(use(new Said(true, Deadline.invalid("x")))).isEqualTo(DeadlineUse.INVALID);
    assertThat(use(new Said(true, Deadline.at(SHOWN)))).isEqualTo(DeadlineUse.PAST);
    assertThat(use(new Said(true, Deadline.at(SHOWN + 1)))).isEqualTo(DeadlineUse.USED);
    assertThat(use(new Said(true, Deadline.at(SHOWN + 10 * MINUTE)))).isEqualTo(DeadlineUse.USED);
    assertThat(use(new Said(true, Deadline.at(SHOWN + 10 * MINUTE + 1))))
        .isEqualTo(DeadlineUse.BEYOND);
    assertThat(use(new Said(false, Deadline.after(0)))).isEqualTo(DeadlineUse.PAST);
    assertThat(use(new Said(false, Deadline.after(-MINUTE)))).isEqualTo(DeadlineUse.PAST);
    assertThat(use(new Said(false, Deadline.after(MINUTE)))).isEqualTo(DeadlineUse.USED);
    assertThat(use(new Said(false, Deadline.after(11 * MINUTE)))).isEqualTo(DeadlineUse.BEYOND);
  }

  private static DeadlineUse use(Said first) {
    Said none = new Said(true, Deadline.ABSENT);
    Pipeline pipeline = pipeline("wait", List.of(first, none, none));
    List<DeadlineUse> uses = new ArrayList<>();
    new LabelJoin(pipeline.tasks(), pipeline.labels(), false)
        .onImpression(
            new PendingImpression(3),
            shown(List.of(first)),
            Long.MIN_VALUE,
            new Recorder() {
              @Override
              public void deadline(int task, DeadlineUse use, Impression of, Deadline said) {
                assertThat(use.sample(pipeline.tasks().get(task), of, said))
                    .contains("impression i of 2026-01-01T00:00:00Z: ");
                uses.add(use);
              }
            });
    assertThat(uses).hasSize(3);
    return uses.get(0);
  }

  /** What offline learners need of it; an experiment that moves impressions moves their times. */
  @Example
  void examplesTellDeadlinesAndTimesMoveAlong() throws IOException {
    Said none = new Said(true, Deadline.ABSENT);
    Pipeline pipeline = pipeline("wait", List.of(none, new Said(false, Deadline.ABSENT), none));
    ExampleJson json = new ExampleJson(pipeline.impressionFields(), pipeline.tasks());
    TaskLabel[] labels = {TaskLabel.NONE, TaskLabel.NONE, TaskLabel.NONE};
    Impression moved =
        shown(List.of(new Said(true, Deadline.at(SHOWN + 5)), new Said(false, Deadline.after(7))))
            .later(MINUTE);
    assertThat(new String(json.writeWithoutFeatures(new LabeledExample(moved, 1, labels)), UTF_8))
        .contains("\"event_time\":" + (SHOWN + MINUTE))
        .endsWith(",\"deadlines\":{\"click\":" + (SHOWN + MINUTE + 5) + ",\"purchase\":7}}");
    Impression refused = shown(List.of(new Said(true, Deadline.invalid("x"))));
    assertThat(new String(json.writeWithoutFeatures(new LabeledExample(refused, 1, labels)), UTF_8))
        .doesNotContain("deadlines");
  }

  /** An impression that comes after its deadline is late, as one after its window is. */
  @Example
  void anImpressionAfterItsDeadlineIsLate() {
    Said soon = new Said(true, Deadline.at(SHOWN + MINUTE));
    Pipeline pipeline = pipeline("wait", List.of(soon, soon, soon));
    LabelJoin join = new LabelJoin(pipeline.tasks(), pipeline.labels(), false);
    Recorder recorder = new Recorder();
    join.onImpression(new PendingImpression(3), shown(List.of(soon)), SHOWN + MINUTE - 1, recorder);
    assertThat(recorder.dropped).isEmpty();
    join.onImpression(new PendingImpression(3), shown(List.of(soon)), SHOWN + MINUTE, recorder);
    assertThat(recorder.dropped).extracting(DroppedEvent::reason).containsExactly(DropReason.LATE);
  }

  @Example
  void aDeadlineTakesFewBytesOfStateAndWhatWasRefusedNone() throws IOException {
    Said year = new Said(true, Deadline.at(SHOWN + 400 * 24 * 60 * MINUTE));
    long without = bytes(List.of());
    assertThat(bytes(List.of(year))).isBetween(without + 1, without + 8);
    Said refused = new Said(true, Deadline.invalid("x".repeat(200)));
    assertThat(bytes(List.of(refused))).isBetween(without + 1, without + 4);
  }

  private static long bytes(List<Said> said) throws IOException {
    Said none = new Said(true, Deadline.ABSENT);
    Pipeline pipeline = pipeline("wait", List.of(none, none, none));
    PendingImpression pending = new PendingImpression(3);
    new LabelJoin(pipeline.tasks(), pipeline.labels(), false)
        .onImpression(pending, shown(said), Long.MIN_VALUE, new Recorder());
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    new PendingImpressionCodec().write(pending, new DataOutputStream(bytes));
    return bytes.size();
  }

  @Provide
  Arbitrary<String> corrections() {
    return Arbitraries.of(DelayCorrections.values()).map(EnumNames::of);
  }

  @Provide
  Arbitrary<List<Said>> said() {
    Arbitrary<Integer> kinds = Arbitraries.integers().between(0, 5);
    Arbitrary<Integer> tens = Arbitraries.integers().between(-1, 14);
    return Combinators.combine(kinds, tens)
        .as(
            (kind, n) ->
                switch (kind) {
                  case 0 -> new Said(true, Deadline.ABSENT);
                  case 1 -> new Said(false, Deadline.invalid("no number"));
                  case 2, 3 -> new Said(true, Deadline.at(SHOWN + n * 10 * MINUTE));
                  default -> new Said(false, Deadline.after(n * 5 * MINUTE));
                })
        .list()
        .ofSize(3);
  }

  @Provide
  Arbitrary<List<Feedback>> events() {
    Arbitrary<Long> points = Arbitraries.longs().between(-1, 16).map(n -> SHOWN + n * 10 * MINUTE);
    Arbitrary<Long> skews = Arbitraries.of(0L, 0L, 0L, -1L, 1L, -4_000L, -5_001L, 3_000L);
    Arbitrary<Integer> tasks = Arbitraries.integers().between(0, 2);
    Arbitrary<Integer> amounts = Arbitraries.integers().between(-3, 5);
    return Combinators.combine(tasks, points, skews, amounts)
        .as((task, point, skew, amount) -> new Object[] {task, point + skew, amount})
        .list()
        .ofMaxSize(8)
        .map(DeadlineProperties::feedback);
  }

  private static List<Feedback> feedback(List<Object[]> drawn) {
    List<Feedback> events = new ArrayList<>();
    for (Object[] draw : drawn) {
      int task = (Integer) draw[0];
      double value = task == 2 ? (Integer) draw[2] : 1;
      events.add(new Feedback("i", "e" + events.size(), task, (Long) draw[1], value));
    }
    return events;
  }

  private static class Recorder implements LabelJoin.Output {
    final List<LabeledExample> examples = new ArrayList<>();
    final List<DroppedEvent> dropped = new ArrayList<>();

    @Override
    public void example(LabeledExample example) {
      examples.add(example);
    }

    @Override
    public void dropped(DroppedEvent event) {
      dropped.add(event);
    }
  }
}
