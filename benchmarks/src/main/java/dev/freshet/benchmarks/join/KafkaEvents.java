package dev.freshet.benchmarks.join;

import dev.freshet.core.events.Impression;
import dev.freshet.core.events.RawFeatures;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/** The {@link JoinEvents} of one task as JSON in Kafka's topics, of one partition each. */
final class KafkaEvents {

  static final String SHOWN = "join.impressions";
  static final String CLICKS = "join.clicks";

  private KafkaEvents() {}

  static Pipeline pipeline(String bootstrap) {
    return PipelineFile.parse(
        JoinEvents.text(1)
            + """
            kafka: {bootstrap: "%s", topics: {impressions: %s, click: %s}}
            labels: {disorder: %ds}
            """
                .formatted(bootstrap, SHOWN, CLICKS, JoinEvents.DISORDER.toSeconds()),
        "benchmark");
  }

  static void write(String bootstrap, long impressions)
      throws ExecutionException, InterruptedException {
    Map<String, Object> settings = Map.of("bootstrap.servers", bootstrap, "linger.ms", 20);
    try (Admin admin = Admin.create(settings)) {
      admin
          .createTopics(
              List.of(new NewTopic(SHOWN, 1, (short) 1), new NewTopic(CLICKS, 1, (short) 1)))
          .all()
          .get();
    }
    StringSerializer text = new StringSerializer();
    try (KafkaProducer<String, String> producer = new KafkaProducer<>(settings, text, text)) {
      for (long n = 0; n < impressions; n++) {
        Impression shown = JoinEvents.impression(n);
        send(
            producer,
            SHOWN,
            shown.id(),
            shown.eventTime(),
            "\"features\":" + features((RawFeatures) shown.features()));
        if (JoinEvents.clicks(n)) {
          String id = JoinEvents.clicked(n);
          send(producer, CLICKS, id, shown.eventTime(), "\"event_id\":\"c\",\"kind\":\"click\"");
        }
      }
    }
  }

  private static void send(
      KafkaProducer<String, String> producer, String topic, String id, long time, String rest) {
    String value = "{\"impression_id\":\"%s\",\"event_time\":%d,%s}".formatted(id, time, rest);
    producer.send(new ProducerRecord<>(topic, 0, time, id, value));
  }

  private static String features(RawFeatures of) {
    String[][] text = of.categories();
    return "{\"user\":\"%s\",\"item\":\"%s\",\"segment\":\"%s\",\"category\":\"%s\",\"hour\":\"%s\","
            .formatted(text[0][0], text[1][0], text[2][0], text[3][0], text[4][0])
        + "\"tags\":[\"%s\",\"%s\"],\"price\":%s,\"age\":%s}"
            .formatted(text[5][0], text[5][1], of.numbers()[0], of.numbers()[1]);
  }
}
