package dev.freshet.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.core.pipeline.Pipeline;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Everything that a pipeline has told on its examples topic.
 *
 * @param values by impression and task, the label: its value and all that is said of it
 * @param examples messages on the topic
 * @param doubles what was told of an impression's task more than once
 */
record TestingLabels(Map<String, String> values, long examples, List<String> doubles) {

  private static final ObjectMapper JSON = new ObjectMapper();

  static TestingLabels read(Pipeline pipeline, String topic) {
    Map<String, String> values = new HashMap<>();
    // A hundred faults leave a million labels of few kinds.
    Map<String, String> kinds = new HashMap<>();
    List<String> doubles = new ArrayList<>();
    long[] examples = {0};
    each(
        pipeline,
        topic,
        message -> {
          examples[0]++;
          JsonNode example = parse(message.value());
          String id = example.path("impression_id").asText();
          for (Map.Entry<String, JsonNode> label : example.path("labels").properties()) {
            String of = id + " " + label.getKey();
            String said = label.getValue().toString();
            if (values.put(of, kinds.computeIfAbsent(said, same -> same)) != null) {
              doubles.add(of);
            }
          }
        });
    return new TestingLabels(values, examples[0], doubles);
  }

  /** Labels that are not the same in both, or in one alone. */
  static List<String> differences(TestingLabels one, TestingLabels other) {
    return Stream.concat(one.values.keySet().stream(), other.values.keySet().stream())
        .filter(of -> !Objects.equals(one.values.get(of), other.values.get(of)))
        .distinct()
        .sorted()
        .map(of -> of + ": " + one.values.get(of) + " and " + other.values.get(of))
        .toList();
  }

  /** Reads committed messages up to where a topic ends now. */
  static void each(
      Pipeline pipeline, String topic, Consumer<ConsumerRecord<byte[], byte[]>> action) {
    Map<String, Object> settings =
        Map.of(
            "bootstrap.servers", pipeline.kafka().bootstrap(), "isolation.level", "read_committed");
    try (var consumer =
        new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      List<TopicPartition> partitions =
          consumer.partitionsFor(topic).stream()
              .map(of -> new TopicPartition(topic, of.partition()))
              .toList();
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      while (partitions.stream().anyMatch(one -> consumer.position(one) < ends.get(one))) {
        consumer.poll(Duration.ofMillis(200)).forEach(action);
      }
    }
  }

  private static JsonNode parse(byte[] message) {
    try {
      return JSON.readTree(message);
    } catch (java.io.IOException e) {
      throw new IllegalStateException(
          new String(message, java.nio.charset.StandardCharsets.UTF_8), e);
    }
  }
}
