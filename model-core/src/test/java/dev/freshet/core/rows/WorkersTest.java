package dev.freshet.core.rows;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class WorkersTest {

  private final Workers workers = new Workers(3, "test");

  @AfterEach
  void close() {
    workers.close();
  }

  @Test
  void everythingIsDoneOnce() {
    for (int size : new int[] {0, 1, 2, 3, 100, 101}) {
      int[] done = new int[size];
      workers.share(
          size,
          3,
          (part, from, to) -> {
            for (int i = from; i < to; i++) {
              done[i]++;
            }
          });
      assertThat(Arrays.stream(done).allMatch(times -> times == 1)).as("of %s", size).isTrue();
    }
  }

  @Test
  void aPartIsAsLargeAsItIsWorthHaving() {
    assertThat(workers.parts(0, 10)).isEqualTo(1);
    assertThat(workers.parts(19, 10)).isEqualTo(1);
    assertThat(workers.parts(20, 10)).isEqualTo(2);
    assertThat(workers.parts(1000, 10)).isEqualTo(3);
    assertThat(Workers.NONE.parts(1000, 10)).isEqualTo(1);
  }

  @Test
  void theCallerIsOneOfThem() {
    Set<Thread> threads = ConcurrentHashMap.newKeySet();
    CountDownLatch all = new CountDownLatch(3);
    workers.share(
        3,
        3,
        (part, from, to) -> {
          threads.add(Thread.currentThread());
          all.countDown();
          await(all); // so that none has two
        });
    assertThat(threads).hasSize(3).contains(Thread.currentThread());
    assertThat(threads).allMatch(one -> one == Thread.currentThread() || one.isDaemon());
  }

  @Test
  void aFailureIsToldWhenAllHaveEnded() {
    for (int broken = 0; broken < 3; broken++) {
      int failing = broken;
      AtomicInteger ended = new AtomicInteger();
      assertThatThrownBy(
              () ->
                  workers.share(
                      3,
                      3,
                      (part, from, to) -> {
                        if (part == failing) {
                          throw new IllegalStateException("part " + part);
                        }
                        sleep();
                        ended.incrementAndGet();
                      }))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("part " + failing);
      assertThat(ended).hasValue(2);
    }
  }

  @Test
  void anInterruptWaitsAndStays() {
    AtomicInteger ended = new AtomicInteger();
    Thread.currentThread().interrupt();
    workers.share(
        3,
        3,
        (part, from, to) -> {
          if (part > 0) {
            sleep();
          }
          ended.incrementAndGet();
        });
    assertThat(Thread.interrupted()).isTrue();
    assertThat(ended).hasValue(3);
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void sleep() {
    try {
      Thread.sleep(50);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
