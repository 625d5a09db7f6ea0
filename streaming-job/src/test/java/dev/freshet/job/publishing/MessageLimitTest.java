package dev.freshet.job.publishing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.job.events.DeadLetter;
import dev.freshet.job.events.DeadLetterCodec;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Properties;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.record.AbstractRecords;
import org.apache.kafka.common.record.RecordBatch;

class MessageLimitTest {

  private static final int LIMIT = 10_000;

  private final MessageLimit limit = new MessageLimit(LIMIT);

  /** Whatever comes in, a producer with the limit sends what comes out. */
  @Property(tries = 2000)
  void nothingIsLargerThanAProducerTakes(
      @ForAll @IntRange(min = -1, max = 25_000) int key,
      @ForAll @IntRange(min = -1, max = 25_000) int value,
      @ForAll String reason,
      @ForAll String error,
      @ForAll @IntRange(max = 400) int repeats) {
    DeadLetter letter =
        new DeadLetter(
            bytes(key), bytes(value), reason, error.repeat(repeats), "click", error, "topic", 1, 2);
    ProducerRecord<byte[], byte[]> whole = DeadLetters.message("dead-letters", letter);
    ProducerRecord<byte[], byte[]> sent = limit.fit(whole);
    assertThat(kafkaSize(sent)).isLessThanOrEqualTo(LIMIT);
    for (Header header : sent.headers()) {
      assertThat(header.value().length).isLessThanOrEqualTo(MessageLimit.LONGEST_HEADER);
    }
    if (kafkaSize(whole) < LIMIT - 500) {
      assertThat(sent == whole).as("what fits with room is left alone").isTrue();
    }
    if (value >= 0 && sent.value().length < value) {
      assertThat(text(sent, "freshet.truncated")).isEqualTo(Integer.toString(value));
      assertThat(sent.value()).isEqualTo(Arrays.copyOf(whole.value(), sent.value().length));
    }
    if (key >= 0 && sent.key().length < key) {
      assertThat(sent.value() == null ? 0 : sent.value().length).as("the key is cut last").isZero();
      assertThat(text(sent, "freshet.key-truncated")).isEqualTo(Integer.toString(key));
    }
  }

  @Example
  void headersAreCutBetweenCharacters() {
    byte[] header = MessageLimit.header("h", "a" + "\u20ac".repeat(1000)).value();
    assertThat(header).hasSize(1000);
    assertThat(new String(header, StandardCharsets.UTF_8)).isEqualTo("a" + "\u20ac".repeat(333));
  }

  @Example
  void theProducersOwnSettingIsTheLimit() {
    Properties properties = new Properties();
    assertThat(MessageLimit.ofProducer(properties).bytes()).isEqualTo(1_048_576);
    properties.put("max.request.size", " 5000000 ");
    assertThat(MessageLimit.ofProducer(properties).bytes()).isEqualTo(5_000_000);
  }

  @Example
  void lettersOfTheFirstLayoutAreRead() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DeadLetter letter = new DeadLetter(null, bytes(3), "r", "e", "k", "f", "t", 1, 2, "m");
    DeadLetterCodec codec = new DeadLetterCodec();
    codec.write(letter, new DataOutputStream(bytes));
    byte[] now = bytes.toByteArray();
    assertThat(codec.read(new DataInputStream(new ByteArrayInputStream(now))))
        .usingRecursiveComparison()
        .isEqualTo(letter);
    // Version 1 was the same without kind and field: two bytes each, behind reason and error.
    byte[] first = new byte[now.length - 4];
    int at = 1 + 4 + 4 + 3 + 2 + 2;
    System.arraycopy(now, 0, first, 0, at);
    System.arraycopy(now, at + 4, first, at, now.length - at - 4);
    first[0] = 1;
    assertThat(codec.read(new DataInputStream(new ByteArrayInputStream(first))))
        .usingRecursiveComparison()
        .isEqualTo(new DeadLetter(null, bytes(3), "r", "e", "", "", "t", 1, 2));
  }

  private static byte[] bytes(int length) {
    byte[] bytes = length < 0 ? null : new byte[length];
    for (int i = 0; i < length; i++) {
      bytes[i] = (byte) i;
    }
    return bytes;
  }

  private static String text(ProducerRecord<byte[], byte[]> record, String header) {
    return new String(record.headers().lastHeader(header).value(), StandardCharsets.UTF_8);
  }

  /** As a producer counts before it sends. */
  private static int kafkaSize(ProducerRecord<byte[], byte[]> record) {
    return AbstractRecords.estimateSizeInBytesUpperBound(
        RecordBatch.CURRENT_MAGIC_VALUE,
        Compression.NONE.type(),
        record.key(),
        record.value(),
        record.headers().toArray());
  }
}
