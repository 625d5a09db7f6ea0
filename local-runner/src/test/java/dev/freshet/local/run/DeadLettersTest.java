package dev.freshet.local.run;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.pipeline.TestingPipelines;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;

class DeadLettersTest {

  @Test
  void countsByTheFieldAtFault() {
    DeadLetters letters = new DeadLetters(TestingPipelines.shop());
    letters.add(letter("wrong-type", "features.price"));
    letters.add(letter("too-large", "features.price"));
    letters.add(letter("wrong-type", "features.user"));
    letters.add(letter("missing-field", "event_time"));
    assertThat(letters.byField()).isEqualTo(Map.of("price", 2L, "user", 1L));
    assertThat(letters.byReason())
        .isEqualTo(Map.of("wrong-type", 2L, "too-large", 1L, "missing-field", 1L));
  }

  @Test
  void theSampleOfOrphansIsOfTheirMostFrequentCause() {
    DeadLetters letters = new DeadLetters(TestingPipelines.shop());
    for (String cause : List.of("no-parent: a", "no-impression: b", "no-impression: c")) {
      ConsumerRecord<byte[], byte[]> letter = letter("orphaned", "");
      add(letter, "freshet.error", cause);
      letters.add(letter);
    }
    assertThat(letters.orphans()).isEqualTo(Map.of("no-parent", 1L, "no-impression", 2L));
    assertThat(letters.samples().get("orphaned").error()).isEqualTo("no-impression: b");
    assertThat(letters.orphanSamples().get("no-parent").error()).isEqualTo("no-parent: a");
  }

  private static ConsumerRecord<byte[], byte[]> letter(String reason, String field) {
    ConsumerRecord<byte[], byte[]> letter =
        new ConsumerRecord<>("dead-letters", 0, 0, null, "{}".getBytes(StandardCharsets.UTF_8));
    add(letter, "freshet.reason", reason);
    add(letter, "freshet.kind", "impression");
    add(letter, "freshet.field", field);
    add(letter, "freshet.partition", "0");
    add(letter, "freshet.offset", "0");
    return letter;
  }

  private static void add(ConsumerRecord<byte[], byte[]> letter, String name, String value) {
    letter.headers().add(name, value.getBytes(StandardCharsets.UTF_8));
  }
}
