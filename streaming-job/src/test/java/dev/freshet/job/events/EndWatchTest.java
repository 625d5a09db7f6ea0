package dev.freshet.job.events;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

class EndWatchTest {

  private static final TopicPartition BUSY = new TopicPartition("impressions", 0);
  private static final TopicPartition QUIET = new TopicPartition("impressions", 1);

  private final TestingEnds broker = new TestingEnds();
  private final AtomicLong nanos = new AtomicLong();
  private final AtomicInteger news = new AtomicInteger();
  private final EndWatch watch =
      new EndWatch(() -> broker, Duration.ofSeconds(2), nanos::get, news::incrementAndGet);
  private final WatchedPartition busy = partition(BUSY, 0);
  private final WatchedPartition quiet = partition(QUIET, 0);

  private WatchedPartition partition(TopicPartition of, long position) {
    WatchedPartition partition = new WatchedPartition(new KafkaPartitionSplit(of, position));
    watch.add(partition);
    broker.end(of, 0);
    return partition;
  }

  /** Lets time pass and asks meanwhile as the watch does. */
  private void pass(double seconds) {
    for (int i = 0; i < Math.round(seconds / 0.4); i++) {
      nanos.addAndGet(TimeUnit.MILLISECONDS.toNanos(400));
      watch.round();
    }
  }

  @Test
  void restsOnceTheBrokerHasSaidSoForTheWholeTime() {
    broker.end(BUSY, 9);
    pass(2);
    assertThat(quiet.atRest()).as("four fifths of the time are confirmed").isFalse();
    assertThat(news).hasValue(0);
    pass(0.4);
    assertThat(quiet.atRest()).isTrue();
    assertThat(busy.atRest()).as("has unread messages, however slow its reader").isFalse();
    assertThat(news).hasValue(1);
    pass(60);
    assertThat(busy.atRest()).isFalse();

    busy.moved(9);
    pass(2);
    assertThat(busy.atRest()).as("the silence begins when all is read").isFalse();
    pass(0.8);
    assertThat(busy.atRest()).isTrue();
  }

  /** On a topic of several kinds the partition goes on, and none of it is for this reader. */
  @Test
  void restsWhileAllThatComesIsPassedOver() {
    quiet.moved(1);
    for (int i = 2; i < 12; i++) {
      broker.end(QUIET, i + 1);
      quiet.passedOver(i);
      pass(0.4);
      assertThat(quiet.atRest()).as("after %d rounds", i - 1).isEqualTo(i > 7);
    }
    quiet.passedOver(12);
    broker.end(QUIET, 100);
    pass(0.4);
    assertThat(quiet.atRest()).as("what came since the last round is not missed yet").isTrue();
    pass(0.4);
    assertThat(quiet.atRest()).as("a backlog may be of anything").isFalse();
    quiet.passedOver(100);
    pass(2.4);
    assertThat(quiet.atRest()).isTrue();
    quiet.moved(101);
    assertThat(quiet.atRest()).as("an event").isFalse();
  }

  @Test
  void wakesWhenSomethingIsRead() {
    pass(3);
    assertThat(quiet.atRest()).isTrue();
    quiet.moved(1);
    assertThat(quiet.atRest()).isFalse();
  }

  @Test
  void wakesWhenSomethingIsWritten() {
    pass(3);
    broker.end(QUIET, 1);
    pass(0.4);
    assertThat(quiet.atRest()).isFalse();
  }

  @Test
  void timeWithoutAnAnswerDoesNotCount() {
    pass(1.6);
    broker.away = true;
    pass(30);
    assertThat(quiet.atRest()).isFalse();
    broker.away = false;
    pass(2);
    assertThat(quiet.atRest()).as("begins anew when the broker is back").isFalse();
    pass(0.8);
    assertThat(quiet.atRest()).isTrue();
  }

  @Test
  void anOutageWakesWhatRested() {
    pass(3);
    int before = news.get();
    broker.away = true;
    pass(0.4);
    assertThat(quiet.atRest()).as("its producers may be kept from writing").isFalse();
    assertThat(news).as("and the reader is told").hasValue(before + 1);
  }

  @Test
  void aPauseOfTheProcessDoesNotCount() {
    pass(0.8);
    nanos.addAndGet(TimeUnit.MINUTES.toNanos(1));
    watch.round();
    assertThat(quiet.atRest()).isFalse();
  }

  @Test
  void marksOfTransactionsAreNothingToRead() {
    quiet.moved(7);
    broker.end(QUIET, 8);
    broker.lastMessage.put(QUIET, 6L);
    pass(3);
    assertThat(quiet.atRest()).isTrue();
    assertThat(broker.looks).as("looks once at the same place").isEqualTo(1);
  }

  @Test
  void looksOnceForWhatIsUnread() {
    broker.end(BUSY, 9);
    pass(8);
    assertThat(busy.atRest()).isFalse();
    assertThat(broker.looks).as("at one place").isEqualTo(1);
    busy.moved(4);
    pass(8);
    assertThat(broker.looks).as("and at the next").isEqualTo(2);
  }

  @Test
  void goesOnAfterAnyFailure() {
    broker.ends.remove(QUIET);
    broker.lastMessage.remove(QUIET);
    pass(3);
    assertThat(quiet.atRest()).as("the broker does not know it").isFalse();
    broker.end(QUIET, 0);
    pass(3);
    assertThat(quiet.atRest()).isTrue();
  }

  @Test
  void aPartitionOfWhichNothingEverCameRestsIfThereIsNothing() {
    List<WatchedPartition> fresh = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      fresh.add(partition(new TopicPartition("clicks", i), KafkaPartitionSplit.EARLIEST_OFFSET));
    }
    broker.end(fresh.get(1).partition(), 3);
    pass(3);
    assertThat(fresh.get(0).atRest()).isTrue();
    assertThat(fresh.get(1).atRest()).isFalse();
  }
}
