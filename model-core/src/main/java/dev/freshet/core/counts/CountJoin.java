package dev.freshet.core.counts;

import static java.util.Objects.requireNonNull;

import com.dynatrace.hash4j.hashing.Hashing;
import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.RawFeatures;
import dev.freshet.core.labels.LabelSettings;
import dev.freshet.core.labels.Task;
import dev.freshet.core.labels.TaskWindow;
import dev.freshet.core.settings.EnumNames;
import java.io.Serializable;
import java.util.Arrays;
import java.util.List;

/**
 * Finds out for which values an event counts: feedback names its impression alone, so each waits
 * for the other, whichever comes first. Like the label join it knows nothing of Flink, counts
 * nothing twice, and has so many events of a task and impression at most.
 *
 * <p>An event counts at its own time, but not before its impression's, if that is not after the
 * last moment at which an event of its task could be part of a label. Reported negatives do not
 * count.
 */
public final class CountJoin implements Serializable {

  /** Why an event does not count. */
  public enum Missed {
    /** No impression came in time. */
    ORPHANED,
    /** It was before its impression, or after the end of its task's last window. */
    OUTSIDE;

    /** As in metrics. */
    public String label() {
      return EnumNames.of(this);
    }
  }

  /** Receives what leaves the join. */
  public interface Output {
    void counted(CountedEvent event);

    void missed(Missed why);
  }

  private final CountPlan plan;
  private final List<Task> tasks;
  private final long orphanWait;
  private final long skew;
  private final int maxEvents;

  /** Which tasks' events are counted; asked for every impression. */
  private final boolean[] counted;

  private final boolean impressions;

  public CountJoin(CountPlan plan, List<Task> tasks, LabelSettings settings) {
    this.plan = plan;
    this.tasks = List.copyOf(tasks);
    orphanWait = settings.orphanWait().toMillis();
    skew = settings.clockSkew().toMillis();
    maxEvents = settings.maxEvents();
    counted = new boolean[tasks.size()];
    for (int task = 0; task < counted.length; task++) {
      counted[task] = plan.counts(task);
    }
    impressions = plan.counts(CountedEvent.IMPRESSION);
  }

  /** The plan of what is counted. */
  public CountPlan plan() {
    return plan;
  }

  public List<Task> tasks() {
    return tasks;
  }

  /**
   * An impression came.
   *
   * @return true if that changed what is kept
   */
  public boolean onImpression(
      CountedImpression kept, Impression impression, long watermark, Output out) {
    TaskWindow[] windows = TaskWindow.of(tasks, impression);
    long shown = impression.eventTime();
    // What the label join drops does not count either.
    if (kept.keys != null || windows[0].closes(shown) <= watermark) {
      return false;
    }
    kept.keys = plan.keys((RawFeatures) impression.features());
    kept.shown = shown;
    long[] horizons = TaskWindow.horizons(tasks, windows, shown);
    kept.ends = new long[tasks.size()];
    // Remembered until a second one of its id would be late.
    kept.until = windows[0].closes(shown);
    for (int task = 0; task < kept.ends.length; task++) {
      kept.ends[task] = counted[task] ? horizons[task] : shown;
      kept.until = Math.max(kept.until, kept.ends[task]);
    }
    if (impressions) {
      tell(kept, CountedEvent.IMPRESSION, shown, out);
    }
    for (CountedImpression.Waiting event : kept.waiting) {
      count(kept, event.task(), event.time(), out);
    }
    kept.waiting.clear();
    return true;
  }

  /**
   * Feedback of a task that is counted came.
   *
   * @return true if that changed what is kept
   */
  public boolean onFeedback(CountedImpression kept, Feedback event, long watermark, Output out) {
    if (tasks.get(event.task()).binary() && event.value() == 0) {
      return false;
    }
    long hash = Hashing.xxh3_64().hashCharsToLong(event.eventId());
    int held = 0;
    for (CountedImpression.Seen seen : kept.seen) {
      if (seen.task() == event.task()) {
        held++;
        if (seen.hash() == hash) {
          return false;
        }
      }
    }
    if (held >= maxEvents) {
      return false;
    }
    if (kept.keys == null) {
      if (plus(event.eventTime(), orphanWait) < watermark) {
        out.missed(Missed.ORPHANED);
        return false;
      }
      long limit = plus(Math.max(event.eventTime(), watermark), orphanWait);
      kept.until = kept.waiting.isEmpty() ? limit : Math.max(kept.until, limit);
      kept.waiting.add(new CountedImpression.Waiting(event.task(), event.eventTime()));
    } else {
      count(kept, event.task(), event.eventTime(), out);
    }
    kept.seen.add(new CountedImpression.Seen(event.task(), hash));
    return true;
  }

  /** The watermark has passed {@link CountedImpression#until()}; nothing is kept any more. */
  public void onTimer(CountedImpression kept, Output out) {
    kept.waiting.forEach(event -> out.missed(Missed.ORPHANED));
  }

  private void count(CountedImpression kept, int task, long time, Output out) {
    if (time < kept.shown - skew || time > requireNonNull(kept.ends)[task]) {
      out.missed(Missed.OUTSIDE);
    } else {
      tell(kept, task, Math.max(time, kept.shown), out);
    }
  }

  private static void tell(CountedImpression kept, int event, long time, Output out) {
    long[] keys = requireNonNull(kept.keys, "an impression has come");
    if (Arrays.stream(keys).anyMatch(key -> key != CountPlan.NO_KEY)) {
      out.counted(new CountedEvent(event, time, keys));
    }
  }

  private static long plus(long time, long more) {
    return time > Long.MAX_VALUE - more ? Long.MAX_VALUE : time + more;
  }
}
