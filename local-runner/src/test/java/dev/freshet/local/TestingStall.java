package dev.freshet.local;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.ConsumerInterceptor;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.ProducerInterceptor;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;

/**
 * Makes a producer stand still for ever when the manifest of the third version is to be sent, and
 * writes the version into a file, once: while that file is there it does nothing. Kafka's own hook;
 * consumers get the same settings as producers, so it is both kinds of interceptor.
 */
public final class TestingStall
    implements ProducerInterceptor<byte[], byte[]>, ConsumerInterceptor<byte[], byte[]> {

  static final String MARKER = "testing.stall.marker";
  private static final int MANIFESTS_LET_PASS = 2;

  // The sink uses a producer for each transaction.
  private static final AtomicInteger MANIFESTS = new AtomicInteger();

  private Path marker;

  @Override
  public void configure(Map<String, ?> settings) {
    marker = Path.of(settings.get(MARKER).toString());
  }

  @Override
  public ProducerRecord<byte[], byte[]> onSend(ProducerRecord<byte[], byte[]> message) {
    if (text(message, "freshet.index").equals("-1")
        && MANIFESTS.getAndIncrement() == MANIFESTS_LET_PASS) {
      try {
        if (!Files.exists(marker)) {
          Files.writeString(marker, text(message, "freshet.version"));
          TimeUnit.DAYS.sleep(1);
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    return message;
  }

  private static String text(ProducerRecord<byte[], byte[]> message, String name) {
    Header header = message.headers().lastHeader(name);
    return header == null ? "" : new String(header.value(), StandardCharsets.UTF_8);
  }

  @Override
  public ConsumerRecords<byte[], byte[]> onConsume(ConsumerRecords<byte[], byte[]> records) {
    return records;
  }

  @Override
  public void onCommit(Map<TopicPartition, OffsetAndMetadata> offsets) {}

  @Override
  public void close() {}
}
