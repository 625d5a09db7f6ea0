package dev.freshet.job.events;

import java.util.Collection;
import java.util.Map;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;

/** Ends of partitions, as the brokers report them. One thread; every call asks anew. */
interface PartitionEnds extends AutoCloseable {

  /**
   * The ends of committed data: offsets behind the last message that a reader may see.
   *
   * @throws KafkaException if there is no answer in time
   */
  Map<TopicPartition, Long> ends(Collection<TopicPartition> partitions);

  /**
   * True if no message lies between two offsets, just marks of transactions and what was aborted,
   * compacted or deleted.
   *
   * @param from an offset; below zero for the beginning of the partition
   * @throws KafkaException if there is no answer in time
   */
  boolean nothingBetween(TopicPartition partition, long from, long end);

  @Override
  void close();
}
