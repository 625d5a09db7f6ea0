package dev.freshet.training;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class PendingScoresTest {

  private static final int MOST = 1000;

  private static long[] ids(int count, long seed) {
    return LongStream.generate(new SplittableRandom(seed)::nextLong).limit(count).toArray();
  }

  private static void put(PendingScores pending, long[] ids) {
    for (int i = 0; i < ids.length; i++) {
      pending.put(
          ids[i],
          new PendingScores.First(new double[] {i, Double.NaN}, new double[] {-i, Double.NaN}, i));
    }
  }

  @Test
  void keepsWhatItIsGivenUntilItIsTakenAway() {
    PendingScores pending = new PendingScores(2, MOST);
    long[] ids = ids(MOST, 1);
    put(pending, ids);
    assertThat(pending.share()).isEqualTo(1);
    assertThat(pending.get(ids[7]).predicted()).containsExactly(7, Double.NaN);
    assertThat(pending.get(ids[7]).unshrunk()).containsExactly(-7, Double.NaN);
    assertThat(pending.get(ids[7]).step()).isEqualTo(7);
    pending.remove(ids[7]);
    assertThat(pending.get(ids[7])).isNull();
    assertThat(pending.size()).isEqualTo(MOST - 1);
  }

  @Test
  void keepsAShareOfTooMany() {
    PendingScores pending = new PendingScores(2, MOST);
    long[] ids = ids(10 * MOST, 2);
    put(pending, ids);
    assertThat(pending.share()).isEqualTo(1.0 / 16);
    assertThat(pending.size())
        .isBetween(550, 700)
        .isEqualTo((int) LongStream.of(ids).filter(pending::keeps).count());
    for (int i = 0; i < ids.length; i++) {
      if (pending.keeps(ids[i])) {
        assertThat(pending.get(ids[i]).step()).isEqualTo(i);
      } else {
        assertThat(pending.get(ids[i])).isNull();
      }
    }
    for (long id : ids) {
      pending.remove(id);
    }
    assertThat(pending.share()).as("does not rise").isEqualTo(1.0 / 16);
  }

  @Test
  void restoreAndContinueEqualsNeverHavingStopped() throws IOException {
    PendingScores straight = new PendingScores(2, MOST);
    put(straight, ids(3 * MOST, 3));
    PendingScores restored = new PendingScores(2, MOST);
    restored.read(
        new DataInputStream(new ByteArrayInputStream(bytes(straight))),
        TrainerSnapshot.WITH_SHRINKAGES);
    put(straight, ids(5 * MOST, 4));
    put(restored, ids(5 * MOST, 4));
    assertThat(restored.share()).isEqualTo(straight.share()).isLessThan(0.25);
    assertThat(bytes(restored)).isEqualTo(bytes(straight));
  }

  private static byte[] bytes(PendingScores pending) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    pending.write(new DataOutputStream(out));
    return out.toByteArray();
  }
}
