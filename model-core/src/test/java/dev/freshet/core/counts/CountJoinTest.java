package dev.freshet.core.counts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.RawFeatures;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What counts and for which values, and how counts fade. */
class CountJoinTest implements CountJoin.Output {

  private static final long SHOWN = 1_767_225_600_000L;
  private static final long MINUTE = 60_000;
  private static final long HOUR = 60 * MINUTE;

  private final Pipeline pipeline =
      TestingPipelines.shop(
          "edges: [1, 10, 100]}",
          """
          edges: [1, 10, 100]}
            - {name: clicks, kind: count, of: click, by: item, half-life: 1h}
            - {name: rate, kind: count, of: click, per: impression, by: item, half-life: 1h, least: 2}
            - {name: bought, kind: count, of: purchase, by: user, half-life: 2h}
          """);
  private final CountPlan plan = pipeline.counts();
  private final CountJoin join = new CountJoin(plan, pipeline.tasks(), pipeline.labels());
  private final CountedImpression kept = new CountedImpression();
  private final List<CountedEvent> counted = new ArrayList<>();
  private final List<CountJoin.Missed> missed = new ArrayList<>();

  @Override
  public void counted(CountedEvent event) {
    counted.add(event);
  }

  @Override
  public void missed(CountJoin.Missed why) {
    missed.add(why);
  }

  private static Impression shown(String user, String item) {
    String[][] categories = {{}, user == null ? new String[0] : new String[] {user}, {item}};
    double[] numbers = {5, Double.NaN, Double.NaN, Double.NaN};
    return new Impression("i", SHOWN, new RawFeatures(categories, numbers), null);
  }

  private boolean feedback(String id, int task, long after, double value, long watermark) {
    return join.onFeedback(
        kept, new Feedback("i", id, task, SHOWN + after, value), watermark, this);
  }

  private List<String> told() {
    return counted.stream().map(e -> e.event() + "@" + (e.time() - SHOWN)).toList();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void countsInEitherOrderAndOnce(boolean first) {
    if (first) {
      join.onImpression(kept, shown("u", "p"), SHOWN - 1, this);
    }
    assertThat(feedback("c", 0, MINUTE, 1, SHOWN - 1)).isTrue();
    assertThat(feedback("c", 0, MINUTE, 1, SHOWN - 1)).isFalse();
    assertThat(feedback("c2", 0, 2 * MINUTE, 1, SHOWN - 1)).isTrue();
    assertThat(feedback("c", 1, 3 * MINUTE, 1, SHOWN - 1)).as("of another task").isTrue();
    if (!first) {
      assertThat(counted).isEmpty();
      assertThat(kept.until()).isEqualTo(SHOWN + 3 * MINUTE + 5 * MINUTE);
      join.onImpression(kept, shown("u", "p"), SHOWN - 1, this);
    }
    assertThat(join.onImpression(kept, shown("u", "q"), SHOWN - 1, this)).isFalse();
    assertThat(told()).containsExactly("-1@0", "0@60000", "0@120000", "1@180000");
    assertThat(counted).allSatisfy(e -> assertThat(e.keys()).isEqualTo(counted.get(0).keys()));
    assertThat(kept.until()).as("click, then purchase").isEqualTo(SHOWN + 70 * MINUTE);
    assertThat(missed).isEmpty();
  }

  @Test
  void countsWhatALabelCouldHold() {
    join.onImpression(kept, shown("u", "p"), SHOWN - 1, this);
    feedback("early", 0, -5000, 1, SHOWN - 1);
    feedback("earlier", 0, -5001, 1, SHOWN - 1);
    feedback("end", 0, 10 * MINUTE, 1, SHOWN - 1);
    feedback("after", 0, 10 * MINUTE + 1, 1, SHOWN - 1);
    feedback("bought", 1, 70 * MINUTE, 1, SHOWN - 1);
    feedback("no", 1, MINUTE, 0, SHOWN - 1);
    assertThat(told()).containsExactly("-1@0", "0@0", "0@600000", "1@4200000");
    assertThat(missed).containsExactly(CountJoin.Missed.OUTSIDE, CountJoin.Missed.OUTSIDE);
  }

  @Test
  void isLateAsTheLabelJoinIs() {
    assertThat(join.onImpression(kept, shown("u", "p"), SHOWN + 10 * MINUTE, this)).isFalse();
    assertThat(feedback("c", 0, 0, 1, SHOWN + 5 * MINUTE + 1)).isFalse();
    assertThat(missed).containsExactly(CountJoin.Missed.ORPHANED);
    assertThat(feedback("d", 0, 0, 1, SHOWN + 5 * MINUTE)).isTrue();
    join.onTimer(kept, this);
    assertThat(missed).hasSize(2).containsOnly(CountJoin.Missed.ORPHANED);
    assertThat(counted).isEmpty();
  }

  @Test
  void holdsSoManyEventsOfATaskAtMost() {
    join.onImpression(kept, shown("u", "p"), SHOWN - 1, this);
    for (int i = 0; i < 150; i++) {
      feedback("c" + i, 0, i, 1, SHOWN - 1);
    }
    feedback("p", 1, MINUTE, 1, SHOWN - 1);
    assertThat(counted).hasSize(1 + 100 + 1);
  }

  @Test
  void aValueThatIsAbsentCountsNowhere() {
    join.onImpression(kept, shown(null, "p"), SHOWN - 1, this);
    assertThat(plan.by()).extracting(CountPlan.By::field).containsExactly("item", "user");
    assertThat(counted.get(0).keys()[0]).isNotEqualTo(CountPlan.NO_KEY);
    assertThat(counted.get(0).keys()[1]).isEqualTo(CountPlan.NO_KEY);
    assertThat(plan.keys((RawFeatures) plan.slim(shown(null, "p")).features()))
        .isEqualTo(counted.get(0).keys());
  }

  @Test
  void countsFadeAndAreOver() {
    CountPlan.Counter clicks = plan.by().get(0).counters().get(0);
    DecayedCounts counts = new DecayedCounts();
    assertThat(counts.at(clicks, SHOWN)).isZero();
    counts.add(clicks, SHOWN, 3);
    assertThat(counts.at(clicks, SHOWN + HOUR)).isEqualTo(1.5);
    counts.add(clicks, SHOWN + HOUR, 1);
    assertThat(counts.at(clicks, SHOWN + 3 * HOUR)).isEqualTo(0.625);
    counts.add(clicks, SHOWN, 1);
    assertThat(counts.at(clicks, SHOWN + HOUR)).as("a late one").isEqualTo(3);

    long over = counts.over(plan.by().get(0).counters());
    assertThat(counts.at(clicks, over)).isZero();
    assertThat(counts.at(clicks, over - 1000)).isCloseTo(0x1p-10, within(1e-6));
    counts.add(clicks, over, 1);
    assertThat(counts.at(clicks, over)).as("as if there were no state").isEqualTo(1);
  }

  @Test
  void tellsNumbersThatAreNotThereYet() {
    CountPlan.By item = plan.by().get(0);
    DecayedCounts counts = new DecayedCounts();
    CountMoment moment = CountMoment.EMPTY.withEvent(0).withEvent(CountedEvent.IMPRESSION);
    moment.add(item, counts, SHOWN - HOUR);
    assertThat(numbers(item.told(shown("u", "p"), counts)))
        .as("too few impressions for a rate")
        .containsExactly(5, 0.5, Double.NaN, Double.NaN);
    for (int i = 0; i < 4; i++) {
      CountMoment.EMPTY.withEvent(CountedEvent.IMPRESSION).add(item, counts, SHOWN - HOUR);
    }
    Impression told = item.told(shown("u", "p"), counts);
    assertThat(numbers(told)).containsExactly(5, 0.5, 0.2, Double.NaN);
    assertThat(item.brought((RawFeatures) told.features())).isTrue();
    assertThat(numbers(item.told(told, new DecayedCounts())))
        .as("what was sent stays")
        .containsExactly(5, 0.5, 0.2, Double.NaN);
  }

  private static double[] numbers(Impression impression) {
    return ((RawFeatures) impression.features()).numbers();
  }
}
