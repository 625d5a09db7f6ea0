package dev.freshet.local.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class IdCountsTest {

  @Test
  void countsLikeAMap() {
    Random random = new Random(7);
    Map<Long, Integer> expected = new HashMap<>();
    IdCounts counts = new IdCounts(0);
    for (int i = 0; i < 200_000; i++) {
      // Few high bits, so that many ids meet at one place.
      long id = (long) random.nextInt(16) << 60 | random.nextInt(4000);
      counts.add(id);
      expected.merge(id, 1, (a, b) -> Math.min(Byte.MAX_VALUE, a + b));
    }
    expected.forEach((id, count) -> assertThat(counts.count(id)).isEqualTo(count));
    assertThat(counts.count(5000)).isZero();
    for (int i = 0; i < 1000; i++) {
      counts.add(-1);
    }
    assertThat(counts.count(-1)).isEqualTo(Byte.MAX_VALUE);
  }

  @Test
  void itsMemoryIsKnownBefore() {
    assertThat(IdCounts.bytes(50_000_000)).isEqualTo(675_000_000);
    LearntBefore.requireMemory(50_000_000, 2L << 30);
    assertThatThrownBy(() -> LearntBefore.requireMemory(200_000_000, 2L << 30))
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining("200,000,000 events")
        .hasMessageContaining("FRESHET_HEAP to 5g");
  }
}
