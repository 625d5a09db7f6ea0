package dev.freshet.replica;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.LongBuffer;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class SortedKeysTest {

  @Test
  void ordersKeysAsTheirBytesAre() {
    long[] keys =
        LongStream.concat(
                LongStream.of(-1, 0, 1, Long.MIN_VALUE, Long.MAX_VALUE, 1L << 48, 5, 4, 3),
                new Random(1).longs(10_000))
            .toArray();
    long[] sorted =
        Arrays.stream(SortedKeys.order(LongBuffer.wrap(keys))).mapToLong(i -> keys[i]).toArray();
    assertThat(sorted).hasSameSizeAs(keys).startsWith(0, 1, 3, 4, 5).endsWith(-1);
    for (int i = 1; i < sorted.length; i++) {
      assertThat(Long.compareUnsigned(sorted[i - 1], sorted[i])).isNegative();
    }
    assertThat(SortedKeys.order(LongBuffer.allocate(0))).isEmpty();
  }
}
