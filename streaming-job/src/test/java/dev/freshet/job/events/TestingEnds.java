package dev.freshet.job.events;

import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;

/** A broker's answers, as the test sets them. */
final class TestingEnds implements PartitionEnds {

  final Map<TopicPartition, Long> ends = new HashMap<>();

  /** Messages begin here; what lies between and the end is marks of transactions. */
  final Map<TopicPartition, Long> lastMessage = new HashMap<>();

  boolean away;
  int looks;

  void end(TopicPartition partition, long end) {
    ends.put(partition, end);
    lastMessage.put(partition, end - 1);
  }

  @Override
  public Map<TopicPartition, Long> ends(Collection<TopicPartition> partitions) {
    if (away) {
      throw new TimeoutException("away");
    }
    return ends;
  }

  @Override
  public boolean nothingBetween(TopicPartition partition, long from, long end) {
    looks++;
    return lastMessage.get(partition) < Math.max(0, from);
  }

  @Override
  public void close() {}
}
