package dev.freshet.job.publishing;

import dev.freshet.job.events.DeadLetter;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;

/**
 * How a dead letter looks on its topic: key and value as they came, and headers, all text: {@code
 * freshet.reason}, {@code freshet.error}, {@code freshet.kind}, {@code freshet.field} where one
 * field is at fault, {@code freshet.topic}, {@code freshet.partition} and {@code freshet.offset},
 * and of examples {@code freshet.model}.
 */
final class DeadLetters {

  private DeadLetters() {}

  static ProducerRecord<byte[], byte[]> message(String topic, DeadLetter letter) {
    List<Header> headers = new ArrayList<>();
    headers.add(MessageLimit.header("freshet.reason", letter.reason()));
    headers.add(MessageLimit.header("freshet.error", letter.error()));
    headers.add(MessageLimit.header("freshet.kind", letter.kind()));
    if (!letter.field().isEmpty()) {
      headers.add(MessageLimit.header("freshet.field", letter.field()));
    }
    headers.add(MessageLimit.header("freshet.topic", letter.topic()));
    headers.add(MessageLimit.header("freshet.partition", Integer.toString(letter.partition())));
    headers.add(MessageLimit.header("freshet.offset", Long.toString(letter.offset())));
    if (!letter.model().isEmpty()) {
      headers.add(MessageLimit.header("freshet.model", letter.model()));
    }
    return new ProducerRecord<>(topic, null, null, letter.key(), letter.value(), headers);
  }
}
