package dev.freshet.job.events;

import java.io.IOException;
import java.io.Serializable;
import java.time.Duration;
import java.util.Properties;
import org.apache.flink.api.connector.source.Boundedness;
import org.apache.flink.api.connector.source.Source;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.KafkaSourceEnumState;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.apache.flink.core.io.SimpleVersionedSerializer;

/**
 * Kafka's source, whose partitions are idle when they are read to their ends and not when nothing
 * comes of them. State and its bytes are those of the source inside.
 */
public final class WatchedSource<T extends Serializable>
    implements Source<SourceEvent<T>, KafkaPartitionSplit, KafkaSourceEnumState> {

  private static final long serialVersionUID = 1;
  private static final Duration PATIENCE = Duration.ofSeconds(2);

  private final KafkaSource<SourceEvent<T>> source;
  private final Properties properties;
  private final Duration idleAfter;

  /**
   * @param properties of the source's clients, with the brokers
   */
  WatchedSource(KafkaSource<SourceEvent<T>> source, Properties properties, Duration idleAfter) {
    this.source = source;
    this.properties = properties;
    this.idleAfter = idleAfter;
  }

  @Override
  public Boundedness getBoundedness() {
    return source.getBoundedness();
  }

  @Override
  public SourceReader<SourceEvent<T>, KafkaPartitionSplit> createReader(SourceReaderContext context)
      throws Exception {
    return new WatchedReader<>(
        source.createReader(context),
        idleAfter,
        context.metricGroup(),
        news ->
            new EndWatch(
                () -> new BrokerEnds(properties, PATIENCE), idleAfter, System::nanoTime, news));
  }

  @Override
  public SplitEnumerator<KafkaPartitionSplit, KafkaSourceEnumState> createEnumerator(
      SplitEnumeratorContext<KafkaPartitionSplit> context) throws IOException {
    return new WatchedEnumerator(context, source::createEnumerator);
  }

  @Override
  public SplitEnumerator<KafkaPartitionSplit, KafkaSourceEnumState> restoreEnumerator(
      SplitEnumeratorContext<KafkaPartitionSplit> context, KafkaSourceEnumState checkpoint)
      throws IOException {
    return new WatchedEnumerator(context, own -> source.restoreEnumerator(own, checkpoint));
  }

  @Override
  public SimpleVersionedSerializer<KafkaPartitionSplit> getSplitSerializer() {
    return source.getSplitSerializer();
  }

  @Override
  public SimpleVersionedSerializer<KafkaSourceEnumState> getEnumeratorCheckpointSerializer() {
    return source.getEnumeratorCheckpointSerializer();
  }
}
