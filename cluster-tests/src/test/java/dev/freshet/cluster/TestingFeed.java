package dev.freshet.cluster;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.experiments.simulator.SimulatedMessage;
import dev.freshet.experiments.simulator.Simulator;
import dev.freshet.experiments.simulator.SimulatorSettings;
import dev.freshet.job.events.MessageParser;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Sends the simulator's events, steadily, whatever happens to the cluster: what a broker that is
 * away does not take waits for it, as with who writes events in earnest.
 */
final class TestingFeed {

  static final double SPEED = 600;

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Simulator simulator;
  private final String prefix;
  private final long begin;
  private final KafkaProducer<byte[], byte[]> producer;
  private final AtomicReference<Exception> failure = new AtomicReference<>();
  private final Thread thread = new Thread(this::send, "feed");
  private volatile boolean ending;
  private volatile long newest;
  private long shift;

  /**
   * @param prefix of the ids of impressions and events
   * @param begin when the first event arrives, simulated; 0 for when the simulator says
   */
  TestingFeed(
      Pipeline pipeline, long seed, double impressionsPerSecond, String prefix, long begin) {
    simulator =
        new Simulator(pipeline, SimulatorSettings.defaults(seed, impressionsPerSecond / SPEED));
    this.prefix = prefix;
    this.begin = begin;
    producer =
        new KafkaProducer<>(
            Map.of(
                "bootstrap.servers",
                pipeline.kafka().bootstrap(),
                "linger.ms",
                20,
                "delivery.timeout.ms",
                600_000,
                "max.block.ms",
                600_000),
            new ByteArraySerializer(),
            new ByteArraySerializer());
    thread.start();
  }

  /** Ends with the feedback that is still to come of all impressions. */
  void end() throws Exception {
    ending = true;
    thread.join();
    producer.close();
    if (failure.get() != null) {
      throw failure.get();
    }
    System.out.printf("%,d impressions were sent%n", simulator.impressions());
  }

  /** When the newest event arrived, simulated, ms. */
  long newest() {
    return newest;
  }

  private void send() {
    long startedAt = System.nanoTime();
    long first = -1;
    try {
      while (failure.get() == null) {
        SimulatedMessage message =
            simulator.next(ending ? simulator.impressions() : Long.MAX_VALUE);
        if (message == null) {
          return;
        }
        if (first < 0) {
          first = message.arrival();
          shift = begin == 0 ? 0 : begin - first;
        }
        long ahead =
            (long) ((message.arrival() - first) * 1e6 / SPEED) - (System.nanoTime() - startedAt);
        if (ahead > 0 && !ending) {
          TimeUnit.NANOSECONDS.sleep(ahead);
        }
        newest = message.arrival() + shift;
        var record =
            new ProducerRecord<>(
                message.topic(),
                (prefix + message.key()).getBytes(StandardCharsets.UTF_8),
                shifted(message.value()));
        record
            .headers()
            .add(MessageParser.ARRIVED, Long.toString(newest).getBytes(StandardCharsets.US_ASCII));
        producer.send(
            record,
            (metadata, error) -> {
              if (error != null) {
                failure.compareAndSet(null, error);
              }
            });
      }
    } catch (InterruptedException | RuntimeException e) {
      failure.compareAndSet(null, e);
    }
  }

  private byte[] shifted(byte[] message) {
    try {
      if (JSON.readTree(message) instanceof ObjectNode event && event.path("event_time").isLong()) {
        event.put("impression_id", prefix + event.path("impression_id").asText());
        event.put("event_time", event.path("event_time").asLong() + shift);
        return JSON.writeValueAsBytes(event);
      }
      return message;
    } catch (JsonProcessingException malformed) {
      return message; // on purpose
    } catch (IOException e) {
      throw new IllegalStateException("bytes in memory", e);
    }
  }
}
