package dev.freshet.job.events;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;

class PartitionClockTest {

  private static final long START = 1_767_225_600_000L;
  private static final long HOUR = 3_600_000;
  private static final long DAY = 24 * HOUR;

  private final PartitionClock clock = new PartitionClock(HOUR);

  private void see(int events, long from, long gap) {
    for (int i = 0; i < events; i++) {
      clock.see(from + i * gap);
    }
  }

  @Test
  void hasNoTimeBeforeTheFifthEvent() {
    see(4, START, 1000);
    assertThat(clock.time()).isEqualTo(PartitionClock.NONE);
    see(1, START + 4000, 1000);
    assertThat(clock.time()).isEqualTo(START + 4000);
  }

  @Test
  void oneEventsClockMovesNothing() {
    see(100, START, 1000);
    assertThat(clock.see(START + 20 * HOUR)).isFalse();
    assertThat(clock.time()).isEqualTo(START + 99_000);
    see(100, START + 100_000, 1000);
    assertThat(clock.time()).isEqualTo(START + 199_000);
  }

  @Test
  void norDoesTheFirstOne() {
    clock.see(START + 300 * DAY);
    see(10, START, 1000);
    assertThat(clock.time()).isEqualTo(START + 9000);
  }

  @Test
  void aGapIsPassedOnceOthersFollow() {
    see(100, START, 1000);
    see(5, START + DAY, 1000);
    assertThat(clock.time()).isEqualTo(START + 99_000);
    see(1, START + DAY + 5000, 1000);
    assertThat(clock.time()).isEqualTo(START + DAY + 5000);
  }

  @Test
  void anEventADayIsATimeToo() {
    for (int day = 0; day < 30; day++) {
      boolean moves = clock.see(START + day * DAY);
      assertThat(moves).isTrue();
      if (day >= 4) {
        assertThat(clock.time()).isGreaterThanOrEqualTo(START + (day - 1) * DAY);
      }
    }
  }

  @Test
  void oldEventsDoNotTurnTimeBack() {
    see(100, START, 1000);
    see(100, START - 2 * DAY, 1000);
    assertThat(clock.time()).isEqualTo(START + 99_000);
  }

  @Property(tries = 300)
  void neverLeavesTheSoundEventsNorFallsFarBehindThem(
      @ForAll @LongRange(min = 1, max = 60_000) long gap, @ForAll long seed) {
    Random random = new Random(seed);
    PartitionClock of = new PartitionClock(HOUR);
    long newest = 0;
    for (int i = 0; i < 2000; i++) {
      long sound = START + i * gap + random.nextLong(30_000);
      if (random.nextDouble() < 0.01) {
        of.see(sound + (random.nextBoolean() ? 1 : -1) * (2 * HOUR + random.nextLong(20 * DAY)));
      } else {
        of.see(sound);
        newest = Math.max(newest, sound);
      }
      if (i > 10) {
        assertThat(of.time()).isBetween(newest - 8 * gap - 60_000, newest);
      }
    }
  }
}
