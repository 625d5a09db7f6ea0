package dev.freshet.experiments;

import dev.freshet.core.events.Features;
import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.Rejection;
import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.features.ExampleEncoder;
import dev.freshet.core.labels.DroppedEvent;
import dev.freshet.core.labels.LabelJoin;
import dev.freshet.core.labels.LabeledExample;
import dev.freshet.core.labels.PendingImpression;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TrainingSettings.Scoring;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The join of the job, with all events there from the start and timers in order: nothing arrives
 * late.
 */
final class EventJoin implements LabelJoin.Output {

  private record Timer(long at, long order, PendingImpression pending)
      implements Comparable<Timer> {
    @Override
    public int compareTo(Timer other) {
      return at != other.at ? Long.compare(at, other.at) : Long.compare(order, other.order);
    }
  }

  /**
   * @param features null unless they are wanted
   */
  private record Told(long at, EncodedExample example, @Nullable Features features) {}

  private final LabelJoin join;
  private final boolean announced;
  private final int tasks;
  private final ExampleEncoder encoder;
  private final EventCounts counts;
  private final Map<String, PendingImpression> pending = new LinkedHashMap<>();
  private final List<Told> told = new ArrayList<>();

  private final boolean withFeatures;
  private final LeftOut leftOut = new LeftOut();

  /**
   * @param withFeatures true if the examples' features are wanted as they came
   */
  EventJoin(Pipeline pipeline, boolean withFeatures) {
    this.withFeatures = withFeatures;
    announced = pipeline.training().scoring().at() == Scoring.At.IMPRESSION;
    join = new LabelJoin(pipeline.tasks(), pipeline.labels(), announced);
    tasks = pipeline.tasks().size();
    encoder = new ExampleEncoder(pipeline.schema(), pipeline.labels().holdout());
    counts = new EventCounts(pipeline);
  }

  private PendingImpression pending(String id) {
    return pending.computeIfAbsent(id, key -> new PendingImpression(tasks));
  }

  /** A line of a file is no event. */
  void refuse(String file, Rejection rejection) {
    leftOut.refuse(file, rejection);
  }

  void add(Impression event) {
    if (counts.isEmpty()) {
      join.onImpression(pending(event.id()), event, Long.MIN_VALUE, this);
    } else {
      counts.add(event);
    }
  }

  void add(Feedback event) {
    if (!counts.isEmpty()) {
      counts.add(event);
    }
    join.onFeedback(pending(event.impressionId()), event, Long.MIN_VALUE, this);
  }

  /**
   * Joins everything; the examples in the order in which they are told.
   *
   * @param period announcements of such a time come before anything else of it, so that all of them
   *     are predicted by the model of the period before; zero leaves them where they are
   */
  Examples finish(EarlyTruth truth, Duration period) {
    for (Impression told : counts.told()) {
      join.onImpression(pending(told.id()), told, Long.MIN_VALUE, this);
    }
    PriorityQueue<Timer> timers = new PriorityQueue<>();
    long order = 0;
    for (PendingImpression waiting : pending.values()) {
      timers.add(new Timer(join.nextMoment(waiting), order++, waiting));
    }
    pending.clear();
    while (!timers.isEmpty()) {
      Timer timer = timers.poll();
      long next = join.onTimer(timer.pending(), timer.at(), this);
      if (next != PendingImpression.NONE) {
        timers.add(new Timer(next, order++, timer.pending()));
      }
    }
    return withTruth(truth, period.toMillis());
  }

  @Override
  public void example(LabeledExample example) {
    Features features = withFeatures ? example.impression().features() : null;
    told.add(new Told(example.emittedAt(), encoder.encode(example), features));
  }

  @Override
  public void dropped(DroppedEvent event) {
    leftOut.drop(event);
  }

  private Examples withTruth(EarlyTruth truth, long period) {
    List<Told> all = new ArrayList<>();
    Map<Long, TaskLabel[]> early = new LinkedHashMap<>();
    for (Told one : told) {
      EncodedExample example = one.example();
      boolean announcement = TaskLabel.noneOf(example.labels());
      if (announcement || !truth.always()) {
        all.add(new Told(one.at(), masked(example, truth), one.features()));
        continue;
      }
      TaskLabel[] known = early.get(example.id());
      if (known == null) {
        known = new TaskLabel[tasks];
        Arrays.fill(known, TaskLabel.NONE);
        early.put(example.id(), known);
        // One moment after the impression was announced to be scored.
        long at = example.eventTime() + (announced ? 1 : 0);
        all.add(new Told(at, example.withLabels(known), one.features()));
      }
      settle(example.labels(), known, truth.learnt(example.eventTime()));
    }
    Comparator<Told> order = Comparator.comparingLong(Told::at);
    if (period > 0) {
      order =
          Comparator.<Told>comparingLong(one -> one.at() / period)
              .thenComparing(one -> !TaskLabel.noneOf(one.example().labels()))
              .thenComparing(order);
    }
    all.sort(order);
    return new Examples(
        all.stream().map(Told::example).toList(),
        new int[0],
        withFeatures ? all.stream().map(Told::features).toList() : List.of(),
        leftOut.told());
  }

  private static void settle(TaskLabel[] labels, TaskLabel[] known, boolean learnt) {
    for (int task = 0; task < labels.length; task++) {
      if (labels[task].isFinal()) {
        known[task] = labels[task].withWeight(learnt ? 1 : 0);
      }
    }
  }

  private static EncodedExample masked(EncodedExample example, EarlyTruth truth) {
    return truth.learnt(example.eventTime())
        ? example
        : example.withLabels(
            Stream.of(example.labels()).map(l -> l.withWeight(0)).toArray(TaskLabel[]::new));
  }
}
