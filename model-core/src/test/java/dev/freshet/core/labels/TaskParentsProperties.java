package dev.freshet.core.labels;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.RawFeatures;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.core.pipeline.TestingPipelines;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** A task's window opens at whatever it comes after: any task above it, or the impression. */
class TaskParentsProperties {

  private static final long SHOWN = 1_767_225_600_000L;
  private static final long MINUTE = 60_000;

  @Property(tries = 1000)
  void labelsAreThoseOfWhoSeesAllEvents(
      @ForAll @IntRange(max = 1) int afterOfPurchase,
      @ForAll @IntRange(max = 2) int afterOfRevenue,
      @ForAll long seed) {
    List<String> parents = List.of("impression", "click", "purchase");
    Pipeline pipeline =
        PipelineFile.parse(
            TestingPipelines.SHOP
                .replace("after: click", "after: " + parents.get(afterOfPurchase))
                .replace("after: purchase", "after: " + parents.get(afterOfRevenue)),
            "test");
    Random random = new Random(seed);
    List<Feedback> events = new ArrayList<>();
    for (int i = random.nextInt(7); i > 0; i--) {
      int task = random.nextInt(3);
      long time = SHOWN + (random.nextInt(17) - 1) * 10 * MINUTE;
      events.add(new Feedback("i", "e" + i, task, time, task == 2 ? random.nextInt(9) - 3 : 1));
    }
    Map<Integer, Double> finals = new HashMap<>();
    List<DroppedEvent> dropped = new ArrayList<>();
    join(pipeline, events, new Random(seed), finals, dropped);
    int[] parent = {-1, afterOfPurchase - 1, afterOfRevenue - 1};
    assertThat(finals).isEqualTo(oracle(pipeline.tasks(), parent, events));
  }

  private static Map<Integer, Double> oracle(
      List<Task> tasks, int[] parent, List<Feedback> events) {
    Map<Integer, Double> labels = new HashMap<>();
    Map<Integer, Set<Long>> counted = new HashMap<>(Map.of(-1, Set.of(SHOWN)));
    for (int task = 0; task < tasks.size(); task++) {
      long window = tasks.get(task).window().toMillis();
      Set<Long> own = new HashSet<>();
      double label = 0;
      for (Feedback event : events) {
        long time = event.eventTime();
        if (event.task() == task
            && counted.get(parent[task]).stream().anyMatch(p -> p <= time && time <= p + window)) {
          own.add(time);
          label = task == 2 ? label + event.value() : 1;
        }
      }
      counted.put(task, own);
      labels.put(task, label);
    }
    return labels;
  }

  private static void join(
      Pipeline pipeline,
      List<Feedback> events,
      Random random,
      Map<Integer, Double> finals,
      List<DroppedEvent> dropped) {
    LabelJoin.Output output =
        new LabelJoin.Output() {
          @Override
          public void example(LabeledExample example) {
            for (int task = 0; task < 3; task++) {
              if (example.labels()[task].isFinal()) {
                finals.put(task, example.labels()[task].value());
              }
            }
          }

          @Override
          public void dropped(DroppedEvent event) {
            dropped.add(event);
          }
        };
    LabelJoin join = new LabelJoin(pipeline.tasks(), pipeline.labels(), false);
    PendingImpression pending = new PendingImpression(3);
    RawFeatures features = new RawFeatures(new String[0][], new double[0]);
    List<Object> arrivals = new ArrayList<>(events);
    arrivals.add(new Impression("i", SHOWN, features, null));
    Collections.shuffle(arrivals, random);
    for (Object arrival : arrivals) {
      if (arrival instanceof Impression impression) {
        join.onImpression(pending, impression, Long.MIN_VALUE, output);
      } else {
        join.onFeedback(pending, (Feedback) arrival, Long.MIN_VALUE, output);
      }
    }
    for (long at = join.nextMoment(pending); !pending.finished(); at = join.nextMoment(pending)) {
      join.onTimer(pending, at, output);
    }
  }
}
