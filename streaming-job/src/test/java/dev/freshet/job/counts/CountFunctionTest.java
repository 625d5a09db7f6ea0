package dev.freshet.job.counts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.freshet.core.counts.CountJoin;
import dev.freshet.core.counts.CountPlan;
import dev.freshet.core.counts.CountedEvent;
import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.RawFeatures;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.job.codec.CodecTypeInfo;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.functions.KeySelector;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;
import org.apache.flink.state.rocksdb.EmbeddedRocksDBStateBackend;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.AbstractStreamOperatorTestHarness;
import org.apache.flink.streaming.util.KeyedTwoInputStreamOperatorTestHarness;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Counts in Flink's own operators against sums over all events that were before: in every order of
 * arrival, over savepoints and other parallelisms; and in the end there is no state and no timer.
 */
class CountFunctionTest {

  private static final long START = 1_767_225_600_000L;
  private static final long MINUTE = 60_000;
  private static final long HOUR = 60 * MINUTE;
  private static final long DISORDER = 3 * MINUTE;
  private static final int MAX_PARALLELISM = 16;

  private final Pipeline pipeline =
      TestingPipelines.shop(
          "edges: [1, 10, 100]}",
          """
          edges: [1, 10, 100]}
            - {name: clicks, kind: count, of: click, by: item, half-life: 1h}
            - {name: shows, kind: count, of: impression, by: item, half-life: 1h}
            - {name: rate, kind: count, of: click, per: impression, by: item, half-life: 2h, least: 3}
          """);
  private final CountPlan plan = pipeline.counts();
  private final CountPlan.By item = plan.by().get(0);

  /** Both steps, with all their subtasks. */
  private final class Stage {
    private final List<
            KeyedTwoInputStreamOperatorTestHarness<String, Impression, Feedback, CountedEvent>>
        joins = new ArrayList<>();
    private final List<
            KeyedTwoInputStreamOperatorTestHarness<Long, Impression, CountedEvent, Impression>>
        counts = new ArrayList<>();
    private final List<CountJoinFunction> joinFunctions = new ArrayList<>();
    private final List<CountFunction> functions = new ArrayList<>();
    private final Map<String, double[]> told;

    Stage(
        boolean rocks,
        int parallelism,
        OperatorSubtaskState[] from,
        int before,
        Map<String, double[]> told)
        throws Exception {
      this.told = told;
      for (int i = 0; i < parallelism; i++) {
        CountJoin join = new CountJoin(plan, pipeline.tasks(), pipeline.labels());
        joinFunctions.add(new CountJoinFunction(join));
        joins.add(
            new KeyedTwoInputStreamOperatorTestHarness<>(
                new StayActiveOperator<>(joinFunctions.get(i)),
                Impression::id,
                Feedback::impressionId,
                Types.STRING,
                MAX_PARALLELISM,
                parallelism,
                i));
        functions.add(new CountFunction(item, pipeline.tasks(), pipeline.schema().layout()));
        counts.add(
            new KeyedTwoInputStreamOperatorTestHarness<>(
                new StayActiveOperator<>(functions.get(i)),
                byItem(item),
                event -> event.keys()[0],
                Types.LONG,
                MAX_PARALLELISM,
                parallelism,
                i));
        if (rocks) {
          joins.get(i).setStateBackend(new EmbeddedRocksDBStateBackend());
          counts.get(i).setStateBackend(new EmbeddedRocksDBStateBackend());
        }
        joins.get(i).setup(CodecTypeInfo.COUNTED_EVENT.createSerializer(null));
        counts.get(i).setup(CodecTypeInfo.IMPRESSION.createSerializer(null));
        if (from != null) {
          joins.get(i).initializeState(part(from[0], before, parallelism, i));
          counts.get(i).initializeState(part(from[1], before, parallelism, i));
        }
        joins.get(i).open();
        counts.get(i).open();
      }
    }

    private static OperatorSubtaskState part(OperatorSubtaskState from, int before, int now, int i)
        throws Exception {
      return AbstractStreamOperatorTestHarness.repartitionOperatorState(
          from, MAX_PARALLELISM, before, now, i);
    }

    private int of(Object key) {
      return KeyGroupRangeAssignment.assignKeyToParallelOperator(
          key, MAX_PARALLELISM, joins.size());
    }

    void send(Object event) throws Exception {
      if (event instanceof Impression impression) {
        joins.get(of(impression.id())).processElement1(new StreamRecord<>(plan.slim(impression)));
        counts
            .get(of(CountFunction.key(item, impression)))
            .processElement1(new StreamRecord<>(impression));
      } else {
        Feedback feedback = (Feedback) event;
        joins.get(of(feedback.impressionId())).processElement2(new StreamRecord<>(feedback));
      }
      passOn();
    }

    private void passOn() throws Exception {
      for (var join : joins) {
        for (CountedEvent event : join.extractOutputValues()) {
          if (event.keys()[0] != CountPlan.NO_KEY) {
            counts.get(of(event.keys()[0])).processElement2(new StreamRecord<>(event));
          }
        }
        join.getOutput().clear();
      }
    }

    void watermark(long time) throws Exception {
      for (var join : joins) {
        join.processBothWatermarks(new Watermark(time));
      }
      passOn();
      for (var count : counts) {
        count.processBothWatermarks(new Watermark(time));
        for (Impression impression : count.extractOutputValues()) {
          double[] numbers = ((RawFeatures) impression.features()).numbers();
          assertThat(told.put(impression.id(), numbers)).as(impression.id()).isNull();
        }
        count.getOutput().clear();
      }
    }

    OperatorSubtaskState[] savepoint() throws Exception {
      OperatorSubtaskState[] of = new OperatorSubtaskState[joins.size()];
      OperatorSubtaskState[] and = new OperatorSubtaskState[joins.size()];
      for (int i = 0; i < of.length; i++) {
        of[i] = joins.get(i).snapshot(1, 1);
        and[i] = counts.get(i).snapshot(1, 1);
      }
      return new OperatorSubtaskState[] {
        AbstractStreamOperatorTestHarness.repackageState(of),
        AbstractStreamOperatorTestHarness.repackageState(and)
      };
    }

    void nothingIsLeft(boolean rocks) {
      for (var join : joins) {
        assertThat(rocks ? 0 : join.numKeyedStateEntries()).as("state of the join").isZero();
        assertThat(join.numEventTimeTimers()).as("timers of the join").isZero();
      }
      for (var count : counts) {
        assertThat(rocks ? 0 : count.numKeyedStateEntries()).as("state").isZero();
        assertThat(count.numEventTimeTimers()).as("timers").isZero();
      }
      assertThat(joinFunctions.stream().mapToLong(CountJoinFunction::kept).sum()).isZero();
      assertThat(functions.stream().mapToLong(CountFunction::values).sum()).isZero();
      assertThat(functions.stream().mapToLong(CountFunction::waits).sum()).isZero();
    }

    void close() throws Exception {
      for (int i = 0; i < joins.size(); i++) {
        joins.get(i).close();
        counts.get(i).close();
      }
    }
  }

  /** Not in a stage, which does not go into Flink's own configuration. */
  private static KeySelector<Impression, Long> byItem(CountPlan.By item) {
    return impression -> CountFunction.key(item, impression);
  }

  private static Impression shown(String id, long time, String item) {
    String[][] categories = {{}, {}, item == null ? new String[0] : new String[] {item}};
    double[] numbers = {5, Double.NaN, Double.NaN, Double.NaN};
    return new Impression(id, time, new RawFeatures(categories, numbers), null);
  }

  private static long time(Object event) {
    return event instanceof Impression impression
        ? impression.eventTime()
        : ((Feedback) event).eventTime();
  }

  /**
   * Six hours of whole minutes, so that much happens at once, half of it to one item; many events
   * come twice, some impressions have no item.
   */
  private static List<Object> events() {
    Random random = new Random(3);
    List<Object> events = new ArrayList<>();
    for (int i = 0; i < 600; i++) {
      String id = "i" + i;
      long time = START + random.nextInt(360) * MINUTE;
      int item = random.nextBoolean() ? 0 : random.nextInt(12);
      events.add(shown(id, time, item == 11 ? null : "p" + item));
      for (int click = random.nextInt(3); click > 0; click--) {
        long at = time + random.nextInt(12) * MINUTE;
        events.add(new Feedback(id, "c" + click, 0, at, 1));
      }
    }
    List<Object> twice = new ArrayList<>(events);
    twice.addAll(events.subList(0, events.size() / 3));
    return twice;
  }

  /** In the order of arrival: each up to the disorder late. */
  private static List<Object> disordered(List<Object> events, long seed) {
    Random random = new Random(seed);
    Map<Long, Object> byArrival = new TreeMap<>();
    List<Object> shuffled = new ArrayList<>(events);
    Collections.shuffle(shuffled, random);
    shuffled.forEach(
        event ->
            byArrival.put(
                (time(event) + random.nextLong(DISORDER)) * 10_000 + byArrival.size(), event));
    return List.copyOf(byArrival.values());
  }

  /** What each impression is told: sums over all that was before, one by one. */
  private static Map<String, double[]> sums(List<Object> events) {
    Map<String, Impression> impressions = new TreeMap<>();
    Map<String, Feedback> clicks = new TreeMap<>();
    for (Object event : events) {
      if (event instanceof Impression impression) {
        impressions.putIfAbsent(impression.id(), impression);
      } else {
        Feedback feedback = (Feedback) event;
        clicks.putIfAbsent(feedback.impressionId() + feedback.eventId(), feedback);
      }
    }
    Map<String, double[]> all = new TreeMap<>();
    for (Impression one : impressions.values()) {
      double[] numbers = {5, Double.NaN, Double.NaN, Double.NaN};
      String item = item(one);
      if (item != null) {
        double clicked = 0;
        double clicked2h = 0;
        for (Feedback click : clicks.values()) {
          Impression of = impressions.get(click.impressionId());
          if (item.equals(item(of)) && click.eventTime() <= of.eventTime() + 10 * MINUTE) {
            clicked += faded(click.eventTime(), one.eventTime(), HOUR);
            clicked2h += faded(click.eventTime(), one.eventTime(), 2 * HOUR);
          }
        }
        double shown = 0;
        double shown2h = 0;
        for (Impression other : impressions.values()) {
          if (item.equals(item(other))) {
            shown += faded(other.eventTime(), one.eventTime(), HOUR);
            shown2h += faded(other.eventTime(), one.eventTime(), 2 * HOUR);
          }
        }
        numbers = new double[] {5, clicked, shown, shown2h < 3 ? Double.NaN : clicked2h / shown2h};
      }
      all.put(one.id(), numbers);
    }
    return all;
  }

  private static double faded(long event, long time, long halfLife) {
    return event < time ? Math.pow(2, (double) (event - time) / halfLife) : 0;
  }

  private static String item(Impression impression) {
    String[] values = ((RawFeatures) impression.features()).categories()[2];
    return values.length == 0 ? null : values[0];
  }

  /** The events in as many parts as parallelisms, through savepoints in between. */
  private Map<String, double[]> run(List<Object> events, boolean rocks, int... parallelism)
      throws Exception {
    Map<String, double[]> told = new TreeMap<>();
    OperatorSubtaskState[] savepoint = null;
    for (int part = 0; part < parallelism.length; part++) {
      Stage stage =
          new Stage(
              rocks, parallelism[part], savepoint, part == 0 ? 0 : parallelism[part - 1], told);
      int from = events.size() * part / parallelism.length;
      int to = events.size() * (part + 1) / parallelism.length;
      long newest = 0;
      for (Object event : events.subList(from, to)) {
        stage.send(event);
        newest = Math.max(newest, time(event));
        stage.watermark(newest - DISORDER - 1);
      }
      if (part == parallelism.length - 1) {
        stage.watermark(START + 100 * HOUR);
        stage.nothingIsLeft(rocks);
      }
      savepoint = stage.savepoint();
      stage.close();
    }
    return told;
  }

  @ParameterizedTest
  @CsvSource({"false,1", "true,2"})
  void countsWhatWasBeforeInEveryOrder(boolean rocks, long seed) throws Exception {
    List<Object> events = distinctImpressions(events());
    Map<String, double[]> sums = sums(events);
    Map<String, double[]> straight = run(disordered(events, seed), rocks, 1);
    assertThat(straight).hasSize(600).containsOnlyKeys(sums.keySet());
    sums.forEach((id, numbers) -> assertThat(straight.get(id)).as(id).satisfies(close(numbers)));
    assertThat(sums.values()).anyMatch(n -> n[1] > 10).anyMatch(n -> n[3] > 0.3);
    Map<String, double[]> other = run(disordered(events, seed + 10), rocks, 1);
    straight.forEach((id, n) -> assertThat(other.get(id)).as("to the bit: " + id).isEqualTo(n));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void rescalingLosesNothingAndDoublesNothing(boolean rocks) throws Exception {
    List<Object> events = disordered(distinctImpressions(events()), 5);
    Map<String, double[]> straight = run(events, rocks, 1);
    Map<String, double[]> rescaled = run(events, rocks, 2, 4, 1);
    assertThat(rescaled).containsOnlyKeys(straight.keySet());
    straight.forEach((id, n) -> assertThat(rescaled.get(id)).as(id).isEqualTo(n));
  }

  /** A drain closes all windows and ends all time; the next job's events come after, not then. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void countsOutlastADrain(boolean rocks) throws Exception {
    long half = START + 3 * HOUR;
    List<Object> events =
        distinctImpressions(events()).stream()
            .filter(e -> time(e) < half || time(e) > half + 90 * MINUTE)
            .filter(e -> e instanceof Impression || feedbackOf(e, half))
            .toList();
    Map<String, double[]> sums = sums(events);
    Map<String, double[]> told = new TreeMap<>();
    Stage first = new Stage(rocks, 2, null, 0, told);
    for (Object event : events.stream().filter(e -> time(e) < half).toList()) {
      first.send(event);
    }
    first.watermark(Long.MAX_VALUE);
    OperatorSubtaskState[] savepoint = first.savepoint();
    first.close();
    Stage second = new Stage(rocks, 1, savepoint, 2, told);
    for (Object event : events.stream().filter(e -> time(e) > half).toList()) {
      second.send(event);
    }
    second.watermark(START + 7 * HOUR);
    assertThat(told).containsOnlyKeys(sums.keySet());
    sums.forEach((id, numbers) -> assertThat(told.get(id)).as(id).satisfies(close(numbers)));
    second.watermark(START + 100 * HOUR);
    second.nothingIsLeft(rocks);
    second.close();
  }

  /** Whether a click is on the same side as all impressions that it could be about. */
  private static boolean feedbackOf(Object event, long half) {
    return time(event) < half || time(event) > half + 102 * MINUTE;
  }

  private static List<Object> distinctImpressions(List<Object> events) {
    List<Object> distinct = new ArrayList<>();
    List<String> ids = new ArrayList<>();
    for (Object event : events) {
      if (event instanceof Feedback || !ids.contains(((Impression) event).id())) {
        distinct.add(event);
        if (event instanceof Impression impression) {
          ids.add(impression.id());
        }
      }
    }
    return distinct;
  }

  private static Consumer<double[]> close(double[] expected) {
    return numbers -> {
      assertThat(numbers).hasSameSizeAs(expected);
      for (int i = 0; i < expected.length; i++) {
        if (Double.isNaN(expected[i])) {
          assertThat(numbers[i]).isNaN();
        } else {
          // What is below a thousandth counts nothing.
          assertThat(numbers[i]).isCloseTo(expected[i], within(0.002));
        }
      }
    };
  }

  @Test
  void whatComesBehindTheWatermarkIsToldNothing() throws Exception {
    Map<String, double[]> told = new TreeMap<>();
    Stage stage = new Stage(false, 1, null, 0, told);
    stage.send(shown("a", START, "p"));
    stage.send(new Feedback("a", "c", 0, START + MINUTE, 1));
    stage.watermark(START + 5 * MINUTE);
    stage.send(shown("late", START + 4 * MINUTE, "p"));
    stage.send(shown("none", START + 4 * MINUTE, null));
    stage.send(shown("next", START + 61 * MINUTE, "p"));
    stage.watermark(START + 70 * MINUTE);
    assertThat(told.get("a")).containsExactly(5, 0, 0, Double.NaN);
    assertThat(told.get("late")).containsExactly(5, Double.NaN, Double.NaN, Double.NaN);
    assertThat(told.get("none")).containsExactly(5, Double.NaN, Double.NaN, Double.NaN);
    assertThat(told.get("next")[1]).isEqualTo(0.5);
    assertThat(told.get("next")[2])
        .as("the late one counts, from its own time")
        .isCloseTo(Math.pow(2, -61.0 / 60) + Math.pow(2, -57.0 / 60), within(1e-9));
    assertThat(stage.functions.get(0).late()).isEqualTo(1);
    stage.watermark(START + 100 * HOUR);
    stage.nothingIsLeft(false);
    stage.close();
  }

  @Test
  void whatIsSentStays() throws Exception {
    Map<String, double[]> told = new TreeMap<>();
    Stage stage = new Stage(false, 1, null, 0, told);
    stage.send(shown("a", START, "p"));
    RawFeatures raw = (RawFeatures) shown("b", START, "p").features();
    double[] numbers = {5, 7, Double.NaN, 0.25};
    stage.send(
        new Impression("b", START + MINUTE, new RawFeatures(raw.categories(), numbers), null));
    stage.watermark(START + 2 * MINUTE);
    assertThat(told.get("b")[1]).isEqualTo(7);
    assertThat(told.get("b")[2]).isEqualTo(Math.pow(2, -1.0 / 60));
    assertThat(told.get("b")[3]).isEqualTo(0.25);
    stage.close();
  }
}
