package dev.freshet.job.publishing;

import static java.util.Objects.requireNonNull;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The largest message that a topic takes: the smaller one of the producer's {@code
 * max.request.size} and the topic's {@code max.message.bytes}, with all overhead. A message that is
 * larger would fail the job, and again after each restart, so no sink sends one.
 */
final class MessageLimit {

  /** Header that tells the original length of a value that was cut. */
  static final String TRUNCATED = "freshet.truncated";

  /** Header that tells the original length of a key that was cut. */
  static final String KEY_TRUNCATED = "freshet.key-truncated";

  /** Most bytes of UTF-8 of a header's text. */
  static final int LONGEST_HEADER = 1000;

  private static final Logger LOG = LoggerFactory.getLogger(MessageLimit.class);
  private static final int DEFAULT = 1_048_576;
  private static final int PATIENCE_SECONDS = 10;

  // A batch's own 61 bytes and a record's 21, and five for each length that is written.
  private static final int OVERHEAD = 61 + 21 + 15;
  private static final int HEADER_OVERHEAD = 10;
  private static final int MARKS = 100;

  private final int bytes;

  MessageLimit(int bytes) {
    this.bytes = bytes;
  }

  /** Limit of the producer, whatever the topic says. */
  static MessageLimit ofProducer(Properties properties) {
    Object set = properties.get(ProducerConfig.MAX_REQUEST_SIZE_CONFIG);
    return new MessageLimit(set == null ? DEFAULT : Integer.parseInt(set.toString().trim()));
  }

  /**
   * Limit of producer and topic. Who may not ask for the topic's settings gets the producer's
   * limit.
   */
  static MessageLimit of(Properties properties, String topic) throws InterruptedException {
    MessageLimit producer = ofProducer(properties);
    ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
    try (Admin admin = Admin.create(properties)) {
      Map<ConfigResource, Config> told =
          admin.describeConfigs(List.of(resource)).all().get(PATIENCE_SECONDS, TimeUnit.SECONDS);
      String set =
          requireNonNull(told.get(resource)).get(TopicConfig.MAX_MESSAGE_BYTES_CONFIG).value();
      return new MessageLimit(Math.min(producer.bytes, Integer.parseInt(set)));
    } catch (ExecutionException | TimeoutException e) {
      LOG.warn(
          "The largest message of topic {} is not known, {} bytes are taken for it: {}",
          topic,
          producer.bytes,
          e.toString());
      return producer;
    }
  }

  int bytes() {
    return bytes;
  }

  boolean takes(ProducerRecord<byte[], byte[]> record) {
    return size(record) <= bytes;
  }

  /** No less than what producer and broker count. */
  private static long size(ProducerRecord<byte[], byte[]> record) {
    long size = OVERHEAD + (long) length(record.key()) + length(record.value());
    for (Header header : record.headers()) {
      size += HEADER_OVERHEAD + header.key().length() * 3L + length(header.value());
    }
    return size;
  }

  private static int length(byte @Nullable [] bytes) {
    return bytes == null ? 0 : bytes.length;
  }

  /** The record, or one that fits: its value cut, then its key, with headers that say so. */
  ProducerRecord<byte[], byte[]> fit(ProducerRecord<byte[], byte[]> record) {
    long over = size(record) - bytes;
    if (over <= 0) {
      return record;
    }
    over += 2L * (HEADER_OVERHEAD + MARKS);
    byte[] value = record.value();
    int left = (int) Math.max(0, length(value) - over);
    over -= length(value) - left;
    byte[] key = record.key();
    int keyLeft = (int) Math.max(0, length(key) - Math.max(0, over));
    ProducerRecord<byte[], byte[]> cut =
        new ProducerRecord<>(
            record.topic(),
            record.partition(),
            record.timestamp(),
            key == null ? null : Arrays.copyOf(key, keyLeft),
            value == null ? null : Arrays.copyOf(value, left),
            record.headers());
    if (value != null && left < value.length) {
      cut.headers().add(header(TRUNCATED, Integer.toString(value.length)));
    }
    if (key != null && keyLeft < key.length) {
      cut.headers().add(header(KEY_TRUNCATED, Integer.toString(key.length)));
    }
    return cut;
  }

  /** A header of text, cut at {@link #LONGEST_HEADER} bytes between two characters. */
  static RecordHeader header(String key, String text) {
    byte[] whole = text.getBytes(StandardCharsets.UTF_8);
    int end = Math.min(whole.length, LONGEST_HEADER);
    while (end < whole.length && end > 0 && (whole[end] & 0xC0) == 0x80) {
      end--;
    }
    return new RecordHeader(key, end == whole.length ? whole : Arrays.copyOf(whole, end));
  }
}
