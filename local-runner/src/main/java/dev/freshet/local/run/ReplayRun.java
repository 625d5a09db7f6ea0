package dev.freshet.local.run;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.freshet.core.events.JsonEventFormat;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.SystemTopic;
import dev.freshet.local.replay.ArrivalTimes;
import dev.freshet.local.replay.Lines;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A {@link LocalRun} over files of events: all of them go into the topics, then the job runs to
 * their end, closes every window and learns the last labels.
 */
public final class ReplayRun {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Pipeline pipeline;
  private final LocalRun.Settings settings;
  private final PrintStream out;

  public ReplayRun(Pipeline pipeline, LocalRun.Settings settings, PrintStream out) {
    this.pipeline = pipeline;
    this.settings = settings;
    this.out = out;
  }

  /**
   * Replays files of JSON lines, in the order of event time up to the pipeline's disorder.
   *
   * @param examples where labelled examples are written as JSON lines, or null
   * @return the final figures
   */
  public ObjectNode run(List<Path> impressions, List<Path> feedback, Path examples)
      throws Exception {
    try (LocalRun run = LocalRun.open(pipeline, settings, out)) {
      long sent = send(run, impressions, feedback);
      double start = run.seconds();
      run.startJob(true);
      ExampleFile file = examples == null ? null : new ExampleFile(run.pipeline(), examples);
      try {
        while (!run.job().finished()) {
          TimeUnit.MILLISECONDS.sleep(250);
          run.tick();
        }
        double took = run.seconds() - start;
        ObjectNode report = run.report();
        out.printf("%,d events in %.1f s: %,.0f events/s%n", sent, took, sent / took);
        report.put("eventsPerSecond", RunReport.round(sent / took));
        if (file != null) {
          file.catchUp();
        }
        return report;
      } finally {
        if (file != null) {
          file.close();
        }
      }
    }
  }

  private long send(LocalRun run, List<Path> impressions, List<Path> feedback) throws Exception {
    long sent = 0;
    try (ResumingProducer producer = new ResumingProducer(run.pipeline(), run.topics())) {
      String topic = pipeline.topic(SystemTopic.IMPRESSIONS);
      for (Path file : impressions) {
        sent += send(file, producer, topic);
      }
      for (Path file : feedback) {
        sent += send(file, producer, null);
      }
      if (producer.skipped() > 0) {
        out.printf("%,d events were there already%n", producer.skipped());
      }
    }
    out.printf("%,d events are in the topics%n", sent);
    return sent;
  }

  private long send(Path file, ResumingProducer producer, String topic) throws IOException {
    long sent = 0;
    // A topic's lines are in order among themselves; a file may hold several kinds one by one.
    Map<String, ArrivalTimes<Message>> topics = new HashMap<>();
    try (BufferedReader lines = Lines.open(file)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (line.isBlank()) {
          continue;
        }
        JsonNode json = parse(line);
        String to = topic != null ? topic : feedbackTopic(json);
        topics
            .computeIfAbsent(
                to,
                t ->
                    new ArrivalTimes<>(
                        (message, arrived) ->
                            producer.send(t, message.key(), message.value(), arrived)))
            .add(
                new Message(
                    json.path("impression_id").asText(""), line.getBytes(StandardCharsets.UTF_8)),
                JsonEventFormat.timeOf(json).orElse(ArrivalTimes.UNKNOWN));
        sent++;
      }
    }
    for (ArrivalTimes<Message> times : topics.values()) {
      times.end();
    }
    return sent;
  }

  private record Message(String key, byte[] value) {}

  // What is no JSON still goes to a topic: rejecting it, with a reason, is the job's business.
  private static JsonNode parse(String line) {
    try {
      return JSON.readTree(line);
    } catch (JsonProcessingException e) {
      return JSON.missingNode();
    }
  }

  private String feedbackTopic(JsonNode json) {
    String kind = json.path("kind").asText("");
    return pipeline.topic(
        pipeline.tasks().stream()
            .filter(task -> task.name().equals(kind))
            .findAny()
            .orElse(pipeline.tasks().get(0)));
  }

  /** Follows the examples topic into a file. */
  private static final class ExampleFile {
    private final OutputStream file;
    private final TopicFollower follower;

    ExampleFile(Pipeline pipeline, Path path) throws IOException {
      file = Files.newOutputStream(path);
      follower =
          new TopicFollower(
              pipeline,
              pipeline.examplesTopic(),
              record -> {
                try {
                  file.write(record.value());
                  file.write('\n');
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              });
    }

    void catchUp() throws InterruptedException {
      follower.catchUp(Duration.ofMinutes(2));
    }

    void close() throws IOException {
      follower.close();
      file.close();
    }
  }
}
