package dev.freshet.core.events;

import java.io.Serializable;

/**
 * How far one partition has been read.
 *
 * @param offset of the next message: all before it have been read
 * @param timestamp the newest Kafka timestamp among these, epoch milliseconds: when it was produced
 */
public record SourcePosition(String topic, int partition, long offset, long timestamp)
    implements Serializable {

  /** Of two positions in one partition what both together have read. */
  public SourcePosition and(SourcePosition other) {
    return new SourcePosition(
        topic, partition, Math.max(offset, other.offset), Math.max(timestamp, other.timestamp));
  }
}
