package dev.freshet.local.replay;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.LongUnaryOperator;
import java.util.stream.LongStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;

class ArrivalTimesTest {

  private static final long START = 1_767_225_600_000L;
  private static final long HOUR = 3_600_000;
  private static final long DAY = 24 * HOUR;

  /** Indices of lines more than an hour ahead of their arrival. */
  private static Set<Integer> ahead(List<Long> times) throws IOException {
    Set<Integer> ahead = new HashSet<>();
    List<Integer> order = new ArrayList<>();
    ArrivalTimes<Integer> arrivals =
        new ArrivalTimes<>(
            (line, arrived) -> {
              order.add(line);
              if (times.get(line) != ArrivalTimes.UNKNOWN && times.get(line) - arrived > HOUR) {
                ahead.add(line);
              }
            });
    for (int i = 0; i < times.size(); i++) {
      arrivals.add(i, times.get(i));
    }
    arrivals.end();
    assertThat(order).hasSize(times.size()).isSorted();
    return ahead;
  }

  private static List<Long> lines(int count, LongUnaryOperator time) {
    return new ArrayList<>(LongStream.range(0, count).map(time).boxed().toList());
  }

  @Property(tries = 200)
  void noLineOfASoundFileIsAhead(
      @ForAll @IntRange(min = 1, max = 400) int count,
      @ForAll @LongRange(min = 1, max = 3 * DAY) long gap,
      @ForAll @LongRange(max = 30 * DAY) long pause,
      @ForAll @IntRange(max = 399) int pauseAt,
      @ForAll long seed)
      throws IOException {
    Random random = new Random(seed);
    List<Long> times =
        lines(
            count,
            i -> START + i * gap + (i >= pauseAt ? pause : 0) + random.nextLong(2 * gap + 60_000));
    assertThat(ahead(times)).isEmpty();
  }

  @Property(tries = 200)
  void wrongClocksStandOut(
      @ForAll @IntRange(min = 60, max = 1000) int count,
      @ForAll @LongRange(min = 1, max = 5_000) long gap,
      @ForAll @LongRange(min = 8 * HOUR, max = 300 * DAY) long off,
      @ForAll long seed)
      throws IOException {
    Random random = new Random(seed);
    List<Long> times = lines(count, i -> START + i * gap);
    Set<Integer> wrong = new HashSet<>();
    // The last line may be the first behind a pause: nothing can tell.
    for (int i = 0; i < count / 50; i++) {
      wrong.add(random.nextInt(count - 2));
    }
    wrong.forEach(i -> times.set(i, times.get(i) + off));
    assertThat(ahead(times)).isEqualTo(wrong);
  }

  @Test
  void theFirstLineToo() throws IOException {
    List<Long> times = lines(500, i -> START + i * 1000);
    times.set(0, START + 20 * HOUR);
    assertThat(ahead(times)).containsExactly(0);
  }

  @Test
  void linesWithoutATimeKeepTheirPlace() throws IOException {
    List<Long> times = lines(300, i -> i % 3 == 0 ? ArrivalTimes.UNKNOWN : START + i * 1000);
    assertThat(ahead(times)).isEmpty();
  }

  @Test
  void feedbackInTheOrderOfItsImpressionsIsNotAhead() throws IOException {
    Random random = new Random(7);
    assertThat(ahead(lines(2000, i -> START + i * 1000 + random.nextLong(3 * DAY)))).isEmpty();
  }
}
