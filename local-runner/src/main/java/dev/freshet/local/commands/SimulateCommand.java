package dev.freshet.local.commands;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.experiments.simulator.SimulatedMessage;
import dev.freshet.experiments.simulator.Simulator;
import dev.freshet.job.events.MessageParser;
import dev.freshet.local.signals.EndRequest;
import dev.freshet.server.options.DurationConverter;
import dev.freshet.server.options.PipelineOption;
import dev.freshet.server.options.Usage;
import dev.freshet.topics.Brokers;
import dev.freshet.topics.PipelineSource;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "simulate",
    description = {
      "Sends the demo's simulated events to a pipeline's topics, for a job that runs elsewhere.",
      "Ends after --for, or when --events impressions and their feedback are sent, or with Ctrl-C."
          + " Equal seeds send equal events, with equal ids: a second time they are repeated ones."
    },
    mixinStandardHelpOptions = true)
final class SimulateCommand implements Callable<Integer> {

  private static final long LONGEST_SLEEP = TimeUnit.MILLISECONDS.toNanos(100);

  @Option(
      names = "--pipeline",
      paramLabel = "FILE",
      description = "The pipeline, or its http(s) address. Default: pipelines/shop.yaml.")
  private PipelineSource file = PipelineOption.SHOP;

  @Option(
      names = "--bootstrap",
      paramLabel = "HOST:PORT",
      description = "Kafka brokers, instead of the pipeline's.")
  private @Nullable String bootstrap;

  @Option(
      names = "--for",
      paramLabel = "TIME",
      converter = DurationConverter.class,
      description = "How long to send, for example 60s or 5m.")
  private @Nullable Duration duration;

  @Option(names = "--events", paramLabel = "N", description = "Number of impressions.")
  private @Nullable Long events;

  @Mixin private SimulatorOptions simulator;

  private final AtomicReference<Exception> failure = new AtomicReference<>();

  @Override
  public Integer call() throws Exception {
    if (events != null && events < 1) {
      throw new Usage("--events: '" + events + "'; allowed: 1 or more");
    }
    Pipeline pipeline = PipelineOption.read(file, bootstrap);
    double speed = simulator.speed();
    Simulator source;
    try {
      source = new Simulator(pipeline, simulator.settings());
    } catch (IllegalArgumentException e) {
      throw new Usage("--pipeline: " + e.getMessage());
    }
    Brokers.require(pipeline);
    try (EndRequest end = EndRequest.listen(System.out);
        KafkaProducer<byte[], byte[]> producer = producer(pipeline)) {
      long sent = send(source, speed, producer, end);
      producer.flush();
      checkWritten();
      System.out.printf("%,d messages sent, of %,d impressions%n", sent, source.impressions());
      return end.made() ? end.exitCode() : 0;
    }
  }

  private static KafkaProducer<byte[], byte[]> producer(Pipeline pipeline) {
    Map<String, Object> settings = new HashMap<>(pipeline.kafka().properties());
    settings.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, pipeline.kafka().bootstrap());
    settings.put(ProducerConfig.LINGER_MS_CONFIG, 20);
    return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
  }

  private long send(
      Simulator source, double speed, KafkaProducer<byte[], byte[]> producer, EndRequest end)
      throws IOException, InterruptedException {
    long limit = events == null ? Long.MAX_VALUE : events;
    long startedAt = System.nanoTime();
    long over = duration == null ? Long.MAX_VALUE : duration.toNanos();
    long startedFrom = -1;
    long sent = 0;
    for (SimulatedMessage message = source.next(limit);
        message != null;
        message = source.next(limit)) {
      startedFrom = startedFrom < 0 ? message.arrival() : startedFrom;
      // The last impressions' feedback takes simulated days: it is not worth waiting for.
      double due =
          source.impressions() < limit ? (message.arrival() - startedFrom) * 1e6 / speed : 0;
      long ahead = (long) due - (System.nanoTime() - startedAt);
      while (ahead > 0 && !end.made() && System.nanoTime() - startedAt < over) {
        TimeUnit.NANOSECONDS.sleep(Math.min(ahead, LONGEST_SLEEP));
        ahead = (long) due - (System.nanoTime() - startedAt);
      }
      if (end.made() || System.nanoTime() - startedAt >= over) {
        break;
      }
      checkWritten();
      ProducerRecord<byte[], byte[]> one =
          new ProducerRecord<>(
              message.topic(), message.key().getBytes(StandardCharsets.UTF_8), message.value());
      one.headers()
          .add(
              MessageParser.ARRIVED,
              Long.toString(message.arrival()).getBytes(StandardCharsets.US_ASCII));
      producer.send(
          one,
          (metadata, error) -> {
            if (error != null) {
              failure.compareAndSet(null, error);
            }
          });
      sent++;
    }
    return sent;
  }

  private void checkWritten() throws IOException {
    if (failure.get() != null) {
      throw new IOException("an event could not be written", failure.get());
    }
  }
}
