package dev.freshet.core.counts;

import dev.freshet.core.codec.Layout;
import java.io.IOException;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Which counters the numbers in keyed state are of, for one field by whose values is counted. It
 * lies beside them in a checkpoint, for a plan that is changed there: what was counted all the time
 * goes on, and what was not starts at 0. A rate goes on if both its counters did. If one of them is
 * new, both start anew under names of their own: clicks of a day by impressions of a minute would
 * be no rate.
 *
 * <pre>
 * freshet-counters-1 [how many times counters were started anew] [name of a counter] ...
 * </pre>
 *
 * @param starts how many times counters were started anew
 * @param counters names of those that are counted
 */
public record CountHistory(int starts, Set<String> counters) {

  private static final Layout LAYOUT = new Layout("freshet-counters", 1);

  /** Of counters that are as they were planned. */
  public static CountHistory of(CountPlan.By by) {
    return new CountHistory(0, names(by));
  }

  private static Set<String> names(CountPlan.By by) {
    Set<String> names = new TreeSet<>();
    by.counters().forEach(counter -> names.add(counter.name()));
    return names;
  }

  /** Counts that go on from here. */
  public CountPlan.By goOn(CountPlan.By planned) {
    return planned.with(planned.numbers().stream().map(this::goOn).toList());
  }

  private CountPlan.Number goOn(CountPlan.Number planned) {
    for (int start = 0; start <= starts; start++) {
      CountPlan.Number known = planned.startedAnew(start);
      if (isKnown(known)) {
        return known;
      }
    }
    return planned.startedAnew(starts + 1);
  }

  private boolean isKnown(CountPlan.Number number) {
    return Stream.of(number.of(), number.per())
        .filter(Objects::nonNull)
        .allMatch(counter -> counters.contains(counter.name()));
  }

  /** Names of the planned fields whose counts start at 0 here. */
  public List<String> anew(CountPlan.By planned) {
    return goOn(planned).numbers().stream()
        .filter(number -> !isKnown(number))
        .map(CountPlan.Number::field)
        .toList();
  }

  /** The history once these counts have gone on from here. */
  public CountHistory then(CountPlan.By planned) {
    return new CountHistory(anew(planned).isEmpty() ? starts : starts + 1, names(goOn(planned)));
  }

  /** As a text. */
  public String text() {
    return LAYOUT.text() + " " + starts + " " + String.join(" ", counters);
  }

  /**
   * Reads a text.
   *
   * @throws IOException if it is of a version that this code does not read, or no such text
   */
  public static CountHistory read(String text) throws IOException {
    List<String> parts = List.of(text.split(" "));
    LAYOUT.readText(parts.get(0));
    return new CountHistory(
        Integer.parseInt(parts.get(1)), new TreeSet<>(parts.subList(2, parts.size())));
  }
}
