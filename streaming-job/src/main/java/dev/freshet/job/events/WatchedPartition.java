package dev.freshet.job.events;

import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.apache.kafka.common.TopicPartition;

/**
 * One partition of a reader, as its reader and its {@link EndWatch} see it. The two are different
 * threads: the reader writes where it is, the watch at which place the broker had nothing more.
 */
final class WatchedPartition {

  /** No place: the partition is not at rest. */
  static final long NOWHERE = Long.MIN_VALUE;

  private final String splitId;
  private final TopicPartition partition;
  private volatile long position;
  private volatile long heard;
  private volatile long restsAt = NOWHERE;

  WatchedPartition(KafkaPartitionSplit split) {
    splitId = split.splitId();
    partition = split.getTopicPartition();
    position = split.getStartingOffset();
    heard = position;
  }

  String splitId() {
    return splitId;
  }

  TopicPartition partition() {
    return partition;
  }

  /** Offset behind the last message that has left the reader; below zero before the first. */
  long position() {
    return position;
  }

  /**
   * Offset behind the last message that was an event or refused. Those behind it, up to {@link
   * #position}, were passed over: of another kind, on a topic of several.
   */
  long heard() {
    return heard;
  }

  /** A message has left the reader. */
  void moved(long next) {
    heard = next;
    position = next;
  }

  /** A message has left the reader, and was passed over. */
  void passedOver(long next) {
    position = next;
  }

  /** The watch has found that nothing came behind {@code place}, or {@link #NOWHERE}. */
  void rests(long place) {
    restsAt = place;
  }

  /** True if the broker said for long enough that nothing came behind what was heard last. */
  boolean atRest() {
    return restsAt == heard;
  }
}
