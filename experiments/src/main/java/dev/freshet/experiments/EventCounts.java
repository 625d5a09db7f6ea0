package dev.freshet.experiments;

import dev.freshet.core.counts.CountJoin;
import dev.freshet.core.counts.CountMoment;
import dev.freshet.core.counts.CountPlan;
import dev.freshet.core.counts.CountedEvent;
import dev.freshet.core.counts.CountedImpression;
import dev.freshet.core.counts.DecayedCounts;
import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.RawFeatures;
import dev.freshet.core.pipeline.Pipeline;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The counts of the job, with all events there from the start: nothing is late. */
public final class EventCounts implements CountJoin.Output {

  private final CountPlan plan;
  private final CountJoin join;
  private final List<Impression> impressions = new ArrayList<>();
  private final List<Feedback> feedback = new ArrayList<>();
  private final TreeMap<Long, List<CountedEvent>> events = new TreeMap<>();

  public EventCounts(Pipeline pipeline) {
    plan = pipeline.counts();
    join = new CountJoin(plan, pipeline.tasks(), pipeline.labels());
  }

  /** True if nothing is counted, so that events need not come here. */
  boolean isEmpty() {
    return plan.isEmpty();
  }

  public void add(Impression impression) {
    impressions.add(impression);
  }

  public void add(Feedback event) {
    feedback.add(event);
  }

  /** The impressions, in the order in which they were added, with the counts before them. */
  public List<Impression> told() {
    Map<String, CountedImpression> kept = new HashMap<>();
    for (Impression one : impressions) {
      join.onImpression(kept(kept, one.id()), plan.slim(one), Long.MIN_VALUE, this);
    }
    for (Feedback event : feedback) {
      if (plan.counts(event.task())) {
        join.onFeedback(kept(kept, event.impressionId()), event, Long.MIN_VALUE, this);
      }
    }
    Impression[] told = impressions.toArray(Impression[]::new);
    List<Map<Long, DecayedCounts>> counts = new ArrayList<>();
    plan.by().forEach(by -> counts.add(new HashMap<>()));
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < told.length; i++) {
      order.add(i);
    }
    order.sort(Comparator.comparingLong(i -> told[i].eventTime()));
    for (int i : order) {
      while (!events.isEmpty() && events.firstKey() < told[i].eventTime()) {
        count(events.pollFirstEntry(), counts);
      }
      for (int place = 0; place < counts.size(); place++) {
        CountPlan.By by = plan.by().get(place);
        long key = by.key((RawFeatures) told[i].features());
        if (key != CountPlan.NO_KEY) {
          told[i] = by.told(told[i], counts.get(place).getOrDefault(key, new DecayedCounts()));
        }
      }
    }
    return List.of(told);
  }

  private static CountedImpression kept(Map<String, CountedImpression> all, String id) {
    return all.computeIfAbsent(id, key -> new CountedImpression());
  }

  private void count(
      Map.Entry<Long, List<CountedEvent>> moment, List<Map<Long, DecayedCounts>> counts) {
    for (CountedEvent event : moment.getValue()) {
      for (int place = 0; place < counts.size(); place++) {
        long key = event.keys()[place];
        if (key != CountPlan.NO_KEY) {
          CountMoment.EMPTY
              .withEvent(event.event())
              .add(
                  plan.by().get(place),
                  counts.get(place).computeIfAbsent(key, k -> new DecayedCounts()),
                  moment.getKey());
        }
      }
    }
  }

  @Override
  public void counted(CountedEvent event) {
    events.computeIfAbsent(event.time(), time -> new ArrayList<>(1)).add(event);
  }

  @Override
  public void missed(CountJoin.Missed why) {
    // Counted by the job; an experiment only learns.
  }
}
