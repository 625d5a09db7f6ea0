package dev.freshet.core.counts;

import static java.util.Objects.requireNonNull;

import com.dynatrace.hash4j.hashing.Hashing;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.RawFeatures;
import dev.freshet.core.features.FeatureField;
import dev.freshet.core.features.FeatureSchema;
import dev.freshet.core.labels.Task;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Counts of a pipeline: for each field by whose values there are counts, which numbers it gives.
 *
 * @param by the fields, in the order in which the first of their counts are listed
 */
public record CountPlan(List<By> by) implements Serializable {

  /** The key that stands for no value. */
  public static final long NO_KEY = 0;

  private static final String[] NO_VALUE = {};

  /**
   * A field by whose values events are counted.
   *
   * @param field its name
   * @param place where its values stand in {@link RawFeatures#categories()}
   * @param counters of each value
   * @param numbers that impressions get of them
   */
  public record By(String field, int place, List<Counter> counters, List<Number> numbers)
      implements Serializable {

    private static By of(String field, int place, List<Number> numbers) {
      List<Counter> counters =
          numbers.stream()
              .flatMap(number -> Stream.of(number.of(), number.per()))
              .filter(Objects::nonNull)
              .distinct()
              .toList();
      return new By(field, place, counters, numbers);
    }

    /** The same field with other numbers. */
    By with(List<Number> others) {
      return of(field, place, others);
    }

    /** The key of an impression's value: its hash; {@link #NO_KEY} if it has none. */
    public long key(RawFeatures features) {
      String[] values = features.categories()[place];
      if (values.length == 0) {
        return NO_KEY;
      }
      long hash = Hashing.xxh3_64().hashCharsToLong(values[0]);
      return hash == NO_KEY ? 1 : hash;
    }

    /** True if an impression brings all the numbers itself. */
    public boolean brought(RawFeatures features) {
      return numbers.stream().noneMatch(n -> Double.isNaN(features.numbers()[n.place()]));
    }

    /**
     * The impression with those of the numbers that it does not bring.
     *
     * @param counts of its value
     */
    public Impression told(Impression impression, DecayedCounts counts) {
      RawFeatures raw = (RawFeatures) impression.features();
      double[] told = raw.numbers().clone();
      for (Number number : numbers) {
        if (Double.isNaN(told[number.place()])) {
          told[number.place()] = number.of(counts, impression.eventTime());
        }
      }
      return impression.withFeatures(new RawFeatures(raw.categories(), told, raw.weights()));
    }
  }

  /**
   * One kind of event, counted with one half-life.
   *
   * @param event index of the task, or {@link CountedEvent#IMPRESSION}
   * @param halfLife milliseconds after which an event counts half
   * @param name of what is counted, in a text without spaces
   * @param id of the name: under which its numbers are kept, whatever else is counted beside it
   */
  public record Counter(int event, long halfLife, String name, long id) implements Serializable {

    private static Counter named(int event, long halfLife, String name) {
      return new Counter(event, halfLife, name, Hashing.xxh3_64().hashCharsToLong(name));
    }

    /**
     * The same with numbers of its own.
     *
     * @param start how many times counters had been started anew with it; 0 is the plan's
     */
    Counter startedAnew(int start) {
      return start == 0 ? this : named(event, halfLife, name + "|" + start);
    }
  }

  /**
   * A number that a field gets.
   *
   * @param field its name
   * @param place in {@link RawFeatures#numbers()}
   * @param of counter of the number
   * @param per counter that it is divided by; null for a count
   * @param least below this divisor there is no rate
   */
  public record Number(String field, int place, Counter of, @Nullable Counter per, double least)
      implements Serializable {

    Number startedAnew(int start) {
      Counter divisor = per == null ? null : per.startedAnew(start);
      return new Number(field, place, of.startedAnew(start), divisor, least);
    }

    double of(DecayedCounts counts, long time) {
      double count = counts.at(of, time);
      if (per == null) {
        return count;
      }
      double divisor = counts.at(per, time);
      return divisor < least ? Double.NaN : count / divisor;
    }
  }

  /** Of a schema whose counts are of these tasks. */
  public static CountPlan of(FeatureSchema schema, List<Task> tasks) {
    List<FeatureField> counts = schema.fields().stream().filter(FeatureField::counted).toList();
    List<By> all = new ArrayList<>();
    for (String field : counts.stream().map(FeatureField::by).distinct().toList()) {
      List<Number> numbers =
          counts.stream()
              .filter(count -> field.equals(count.by()))
              .map(count -> number(count, schema, tasks))
              .toList();
      all.add(By.of(field, schema.categorical().indexOf(field), numbers));
    }
    return new CountPlan(List.copyOf(all));
  }

  private static Number number(FeatureField field, FeatureSchema schema, List<Task> tasks) {
    long halfLife = requireNonNull(field.halfLife()).toMillis();
    return new Number(
        field.name(),
        schema.numeric().indexOf(field.name()),
        counter(field.of().get(0), halfLife, tasks),
        field.per() == null ? null : counter(field.per(), halfLife, tasks),
        field.least());
  }

  private static Counter counter(String event, long halfLife, List<Task> tasks) {
    int index = tasks.stream().map(Task::name).toList().indexOf(event);
    return Counter.named(
        index < 0 ? CountedEvent.IMPRESSION : index, halfLife, event + "|" + halfLife);
  }

  /** True if nothing is counted. */
  public boolean isEmpty() {
    return by.isEmpty();
  }

  /** Names of the fields by whose values is counted, in the order of {@link #keys}. */
  public List<String> fields() {
    return by.stream().map(By::field).toList();
  }

  /** True if events of a task are counted. */
  public boolean counts(int task) {
    return by.stream().flatMap(b -> b.counters().stream()).anyMatch(c -> c.event() == task);
  }

  /** The keys of an impression's values, one for each of {@link #by()}. */
  public long[] keys(RawFeatures features) {
    return by.stream().mapToLong(b -> b.key(features)).toArray();
  }

  /** The impression with nothing but the values by which is counted. */
  public Impression slim(Impression impression) {
    RawFeatures raw = (RawFeatures) impression.features();
    String[][] values = new String[raw.categories().length][];
    Arrays.fill(values, NO_VALUE);
    by.forEach(b -> values[b.place()] = raw.categories()[b.place()]);
    return new Impression(
        impression.id(),
        impression.eventTime(),
        new RawFeatures(values, new double[0]),
        null,
        impression.deadlines());
  }
}
