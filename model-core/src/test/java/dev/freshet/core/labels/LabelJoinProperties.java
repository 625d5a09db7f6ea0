package dev.freshet.core.labels;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.RawFeatures;
import dev.freshet.core.labels.correction.DelayCorrections;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.core.settings.EnumNames;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/**
 * Whatever the events and their order of arrival, labels are those of someone who sees all at once.
 */
class LabelJoinProperties {

  private static final long SHOWN = 1_767_225_600_000L;
  private static final long MINUTE = 60_000;

  /** The oracle: the definition of a label, written down as plainly as possible. */
  private static double[] oracle(List<Feedback> events, List<Task> tasks) {
    double[] labels = new double[tasks.size()];
    Set<Long> parents = Set.of(SHOWN);
    long skew = 5_000;
    for (int task = 0; task < tasks.size(); task++) {
      Set<Long> next = new HashSet<>();
      Set<String> seen = new HashSet<>();
      for (Feedback event : events) {
        Set<Long> times = new HashSet<>();
        for (long parent : parents) {
          long delay = event.eventTime() - parent;
          if (delay >= -skew && delay <= tasks.get(task).window().toMillis()) {
            times.add(Math.max(event.eventTime(), parent));
          }
        }
        if (event.task() == task && !times.isEmpty() && seen.add(event.eventId())) {
          next.addAll(times);
          labels[task] = tasks.get(task).binary() ? 1 : labels[task] + event.value();
        }
      }
      parents = next;
    }
    return labels;
  }

  @Property(tries = 2000)
  void labelsDoNotDependOnTheOrderOfArrival(
      @ForAll("events") List<Feedback> events,
      @ForAll("corrections") String correction,
      @ForAll long order) {
    Pipeline pipeline =
        TestingPipelines.shop("{orphan-wait", "{correction: " + correction + ", orphan-wait");
    List<Task> tasks = pipeline.tasks();
    Recorder recorder = new Recorder();
    LabelJoin join = new LabelJoin(tasks, pipeline.labels(), false);
    PendingImpression pending = new PendingImpression(3);

    // Everything arrives before the watermark moves, the impression at a random place.
    List<Object> arrivals = new ArrayList<>(events);
    arrivals.add(new Impression("i", SHOWN, new RawFeatures(new String[0][], new double[0]), null));
    Collections.shuffle(arrivals, new Random(order));
    for (Object arrival : arrivals) {
      if (arrival instanceof Impression impression) {
        join.onImpression(pending, impression, Long.MIN_VALUE, recorder);
      } else {
        join.onFeedback(pending, (Feedback) arrival, Long.MIN_VALUE, recorder);
      }
    }
    for (long at = join.nextMoment(pending); !pending.finished(); at = join.nextMoment(pending)) {
      long next = join.onTimer(pending, at, recorder);
      assertThat(next)
          .as("what is asked for next")
          .isEqualTo(pending.finished() ? PendingImpression.NONE : join.nextMoment(pending));
    }

    double[] expected = oracle(events, tasks);
    int[] finals = new int[3];
    double[] taught = new double[3];
    Set<String> tags = new HashSet<>();
    for (LabeledExample example : recorder.examples) {
      assertThat(tags.add(example.tag())).as("tag %s once", example.tag()).isTrue();
      for (int task = 0; task < 3; task++) {
        TaskLabel label = example.labels()[task];
        if (label.kind() != LabelKind.NONE) {
          assertThat(label.elapsed()).as("nothing happens before its parent").isNotNegative();
          assertThat(label.delay()).isGreaterThanOrEqualTo(-1);
        }
        if (label.weight() > 0) {
          taught[task] =
              tasks.get(task).binary() ? Math.max(taught[task], label.value()) : label.value();
        }
        if (label.isFinal()) {
          finals[task]++;
          assertThat(label.value()).as("task %s of %s", task, events).isEqualTo(expected[task]);
          // The first two tasks are binary, so their label is whether the next one was possible.
          boolean possible = task == 0 || expected[task - 1] > 0;
          assertThat(label.reached()).as("task %s of %s", task, events).isEqualTo(possible);
        }
      }
    }
    assertThat(finals).containsOnly(1);
    if (correction.equals("revise")) {
      assertThat(taught[2]).as("the last amount taught is the final one").isEqualTo(expected[2]);
    }
    if (!correction.equals("window")) {
      assertThat(taught[0]).as("a yes is taught").isEqualTo(expected[0]);
      assertThat(taught[1]).as("a yes is taught").isEqualTo(expected[1]);
    }
    long counted = events.size() - recorder.dropped.size();
    assertThat(counted).isGreaterThanOrEqualTo(0);
  }

  /**
   * An event that does not count is late or orphaned by what the events say, whether it comes when
   * it happens, behind others, or is read ahead. Only the cause of being orphaned is as known then.
   */
  @Property(tries = 2000)
  void whyAnEventDoesNotCountDoesNotDependOnTheOrderOfArrival(
      @ForAll("events") List<Feedback> events, @ForAll long seed) {
    Map<String, String> atOnce = reasons(events, 1000 * MINUTE, seed);
    assertThat(reasons(events, MINUTE, seed)).isEqualTo(atOnce);
    assertThat(reasons(events, 25 * MINUTE, seed)).isEqualTo(atOnce);
  }

  /** Reasons by event id, where each event comes up to {@code lag} before the watermark. */
  private static Map<String, String> reasons(List<Feedback> events, long lag, long seed) {
    Pipeline pipeline = TestingPipelines.shop();
    LabelJoin join = new LabelJoin(pipeline.tasks(), pipeline.labels(), false);
    Recorder recorder = new Recorder();
    List<Object> arrivals = new ArrayList<>(events);
    arrivals.add(new Impression("i", SHOWN, new RawFeatures(new String[0][], new double[0]), null));
    Random random = new Random(seed);
    Map<Object, Long> moments = new IdentityHashMap<>();
    arrivals.forEach(a -> moments.put(a, time(a) - random.nextLong(lag)));
    arrivals.sort(Comparator.comparingLong(moments::get));
    PendingImpression pending = new PendingImpression(3);
    for (Object arrival : arrivals) {
      long watermark = moments.get(arrival);
      pending = pass(join, pending, watermark, recorder);
      if (arrival instanceof Impression impression) {
        join.onImpression(pending, impression, watermark, recorder);
      } else {
        join.onFeedback(pending, (Feedback) arrival, watermark, recorder);
      }
    }
    pass(join, pending, Long.MAX_VALUE - 1, recorder);
    Map<String, String> reasons = new TreeMap<>();
    for (DroppedEvent event : recorder.dropped) {
      if (event.reason() != DropReason.DUPLICATE) {
        reasons.put(event.eventId(), event.reason().label());
      }
    }
    return reasons;
  }

  private static PendingImpression pass(
      LabelJoin join, PendingImpression pending, long watermark, Recorder recorder) {
    PendingImpression now = pending;
    while (!now.finished() && join.nextMoment(now) <= watermark) {
      join.onTimer(now, join.nextMoment(now), recorder);
      if (now.finished()) {
        now = new PendingImpression(3);
      }
    }
    return now;
  }

  private static long time(Object event) {
    return event instanceof Impression impression
        ? impression.eventTime()
        : ((Feedback) event).eventTime();
  }

  @Provide
  Arbitrary<String> corrections() {
    return Arbitraries.of(DelayCorrections.values()).map(EnumNames::of);
  }

  @Provide
  Arbitrary<List<Feedback>> events() {
    // Times on a coarse grid, so that edges of windows and equal times are hit often.
    // Around each point clocks differ by up to the skew and a millisecond more.
    Arbitrary<Long> points = Arbitraries.longs().between(-1, 16).map(n -> SHOWN + n * 10 * MINUTE);
    Arbitrary<Long> skews = Arbitraries.of(0L, 0L, 0L, -1L, -4_000L, -5_000L, -5_001L, 3_000L);
    Arbitrary<Long> times = Combinators.combine(points, skews).as(Long::sum);
    Arbitrary<Integer> tasks = Arbitraries.integers().between(0, 2);
    Arbitrary<Integer> amounts = Arbitraries.integers().between(-3, 5);
    return Combinators.combine(tasks, times, amounts)
        .as((task, time, amount) -> new Object[] {task, time, amount})
        .list()
        .ofMaxSize(8)
        .map(LabelJoinProperties::feedback);
  }

  private static List<Feedback> feedback(List<Object[]> drawn) {
    List<Feedback> events = new ArrayList<>();
    for (Object[] draw : drawn) {
      int task = (Integer) draw[0];
      double value = task == 2 ? (Integer) draw[2] : 1;
      events.add(new Feedback("i", "e" + events.size(), task, (Long) draw[1], value));
      if (events.size() % 3 == 0) {
        events.add(events.get(events.size() - 1)); // a repeat
      }
    }
    return events;
  }

  private static final class Recorder implements LabelJoin.Output {
    private final List<LabeledExample> examples = new ArrayList<>();
    private final List<DroppedEvent> dropped = new ArrayList<>();

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
