package dev.freshet.local.run;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.freshet.core.events.JsonEventFormat;
import dev.freshet.core.features.FeatureField;
import dev.freshet.core.labels.Task;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.SystemTopic;
import dev.freshet.core.publishing.Sha256;
import dev.freshet.local.broker.Topics;
import dev.freshet.local.replay.ArrivalTimes;
import dev.freshet.local.replay.ByteLines;
import dev.freshet.local.run.RunRecord.Batch;
import dev.freshet.local.run.RunRecord.Input;
import dev.freshet.local.run.RunRecord.State;
import dev.freshet.local.signals.EndRequest;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.kafka.common.TopicPartition;

/**
 * A {@link LocalRun} over files of events: all of them go into the topics, then the job runs to
 * their end, closes every window and learns the last labels.
 *
 * <p>It may be ended at any point, by whatever: started again with the same folder and files it
 * goes on, and ends with what an undisturbed run would have written, once. Files that are new to a
 * folder whose run has ended are sent after the others and learnt.
 */
public final class ReplayRun {

  private static final ObjectMapper JSON = new ObjectMapper();
  // What Kafka takes by default, less what surrounds the event.
  private static final int LONGEST_LINE = 1_000_000;

  private static final String EXAMPLES = "examples";
  private static final String NONE = "none";

  private Pipeline pipeline;
  private final LocalRun.Settings settings;
  private final EndRequest end;
  private final PrintStream out;
  private RunRecord record;

  public ReplayRun(Pipeline pipeline, LocalRun.Settings settings, EndRequest end, PrintStream out) {
    this.pipeline = pipeline;
    this.settings = settings;
    this.end = end;
    this.out = out;
  }

  /**
   * Replays files of JSON lines, in the order of event time up to the pipeline's disorder.
   *
   * @param examples where labelled examples are written as JSON lines, or null
   * @return the final figures
   * @throws RefusedException if the folder holds something else
   */
  public ObjectNode run(List<Path> impressions, List<Path> feedback, Path examples)
      throws Exception {
    record = record();
    Batch batch = ReplayInputs.next(record, ReplayInputs.read(impressions, feedback));
    if (batch == null && examples == null) {
      out.println(
          "All of this is learnt already, in " + settings.folder() + "; --again begins anew");
      return record.report();
    }
    end.interruptsMe(true);
    try (LocalRun run = LocalRun.open(pipeline, settings, end, out);
        ExampleFile file = examples == null ? null : new ExampleFile(run.pipeline(), examples)) {
      end.interruptsMe(false);
      ObjectNode report = batch == null ? record.report() : learn(run, batch);
      if (file != null) {
        file.catchUp(run.topics(), report.path("ended").asText().equals("learnt"));
      }
      if (report.path("ended").asText().equals("learnt")) {
        record = record.ended(report);
        record.write(settings.folder());
      }
      return report;
    }
  }

  private RunRecord record() throws IOException {
    Optional<RunRecord> kept = RunRecord.read(settings.folder());
    String wanted = kept.map(k -> k.of().get(EXAMPLES)).orElse(NONE);
    if (pipeline.examplesTopic() == null && wanted != null && !wanted.equals(NONE)) {
      // Examples that were written from the beginning are written to the end.
      pipeline = pipeline.withExamplesTopic(wanted);
    }
    Map<String, String> of = new TreeMap<>();
    of.put("pipeline", pipeline.fingerprint());
    Map<String, String> topics = new TreeMap<>(pipeline.kafka().topics());
    topics.remove(SystemTopic.EXAMPLES.key());
    of.put(
        "topics",
        Sha256.of((topics + " " + pipeline.kafka().format()).getBytes(StandardCharsets.UTF_8)));
    of.put(EXAMPLES, pipeline.examplesTopic() == null ? NONE : pipeline.examplesTopic());
    if (kept.isEmpty()) {
      if (Files.exists(settings.folder().resolve("kafka"))) {
        throw new RefusedException(
            "--data-dir: "
                + settings.folder()
                + " holds a run of which no record was kept; --again begins anew");
      }
      return RunRecord.begin(RunRecord.REPLAY, of);
    }
    RunRecord before = kept.get();
    before.require(RunRecord.REPLAY, of, settings.folder());
    return before;
  }

  private ObjectNode learn(LocalRun run, Batch batch) throws Exception {
    Batch sent = batch;
    if (batch.state() == State.SENDING) {
      Optional<Batch> all = send(run, batch);
      if (all.isEmpty()) {
        return run.report(LocalRun.Ending.INTERRUPTED);
      }
      sent = all.get();
    }
    long lines = sent.inputs().stream().mapToLong(input -> input.sent().lines()).sum();
    double start = run.seconds();
    run.startJob();
    LocalRun.Ending ending = run.follow(() -> true, Double.MAX_VALUE);
    double took = run.seconds() - start;
    ObjectNode report = run.report(ending);
    out.printf("%,d events in %.1f s: %,.0f events/s%n", lines, took, lines / took);
    report.put("eventsPerSecond", RunReport.round(lines / took));
    report.set("inputs", inputs());
    return report;
  }

  /** Puts what is not there yet into the topics; empty if the end was wanted before all was. */
  private Optional<Batch> send(LocalRun run, Batch batch) throws Exception {
    if (record.open().isEmpty()) {
      Map<String, Long> from = new TreeMap<>();
      run.topics()
          .ends(run.topics().eventTopics())
          .forEach((partition, offset) -> from.put(partition.toString(), offset));
      batch = new Batch(batch.inputs(), from, State.SENDING);
    }
    record = record.with(batch);
    record.write(settings.folder());
    Map<TopicPartition, Long> from = new HashMap<>();
    for (TopicPartition partition : run.topics().ends(run.topics().eventTopics()).keySet()) {
      from.put(partition, batch.from().getOrDefault(partition.toString(), 0L));
    }
    List<Input> sent = new ArrayList<>();
    long lines = 0;
    try (ResumingProducer producer = new ResumingProducer(run.pipeline(), run.topics(), from)) {
      for (Input input : batch.inputs()) {
        InputCounts counts = send(input, producer, run);
        if (counts == null) {
          return Optional.empty();
        }
        sent.add(new Input(input.use(), input.path(), input.sha256(), counts));
        lines += counts.lines();
      }
      producer.flush();
      if (producer.skipped() > 0) {
        out.printf("%,d events were there already%n", producer.skipped());
      }
    }
    out.printf("%,d events are in the topics%n", lines);
    Batch whole = new Batch(sent, batch.from(), State.SENT);
    record = record.with(whole);
    record.write(settings.folder());
    return Optional.of(whole);
  }

  private InputCounts send(Input input, ResumingProducer producer, LocalRun run) throws Exception {
    boolean shown = input.use().equals(ReplayInputs.IMPRESSIONS);
    List<String> fields = pipeline.features().stream().map(FeatureField::name).toList();
    InputCounts.Counter counter = new InputCounts.Counter();
    // A topic's lines are in order among themselves; a file may hold several kinds one by one.
    Map<String, ArrivalTimes<Message>> topics = new HashMap<>();
    try (ByteLines lines = new ByteLines(Path.of(input.path()), LONGEST_LINE)) {
      for (byte[] line = lines.next(); line != null; line = lines.next()) {
        if (end.made()) {
          return null;
        }
        if (blank(line)) {
          continue;
        }
        if (lines.tooLong()) {
          counter.tooLong();
          continue;
        }
        JsonNode json = parse(line);
        String topic = pipeline.topic(SystemTopic.IMPRESSIONS);
        if (shown) {
          counter.impression(json, fields);
        } else {
          String kind = kind(json);
          counter.feedback(kind);
          topic = pipeline.topic(task(kind));
        }
        topics
            .computeIfAbsent(
                topic,
                to ->
                    new ArrivalTimes<>(
                        (message, arrived) ->
                            producer.send(to, message.key(), message.value(), arrived)))
            .add(
                new Message(json.path("impression_id").asText(""), line),
                JsonEventFormat.timeOf(json).orElse(ArrivalTimes.UNKNOWN));
        run.tick();
      }
    }
    for (ArrivalTimes<Message> times : topics.values()) {
      times.end();
    }
    return counter.counts();
  }

  private record Message(String key, byte[] value) {}

  private static boolean blank(byte[] line) {
    for (byte b : line) {
      if (b > ' ' || b < 0) {
        return false;
      }
    }
    return true;
  }

  // What is no JSON still goes to a topic: rejecting it, with a reason, is the job's business.
  private static JsonNode parse(byte[] line) {
    try {
      return JSON.readTree(line);
    } catch (IOException e) {
      return JSON.missingNode();
    }
  }

  private String kind(JsonNode json) {
    String kind = json.path("kind").asText("");
    return pipeline.tasks().stream().map(Task::name).anyMatch(kind::equals) ? kind : "";
  }

  // What says no kind, or an unknown one, is rejected wherever it goes.
  private Task task(String kind) {
    return pipeline.tasks().stream()
        .filter(task -> task.name().equals(kind))
        .findFirst()
        .orElse(pipeline.tasks().get(0));
  }

  /** All that has ever gone into this folder's topics. */
  private ObjectNode inputs() {
    ObjectNode json = JSON.createObjectNode();
    Map<String, Long> sums = new TreeMap<>();
    Map<String, Long> absent = new TreeMap<>();
    List<String> fields = List.of();
    long impressions = 0;
    long tooLong = 0;
    for (Batch batch : record.batches()) {
      for (Input input : batch.inputs()) {
        InputCounts counts = input.sent();
        tooLong += counts.tooLong();
        if (input.use().equals(ReplayInputs.IMPRESSIONS)) {
          fields = fields.isEmpty() ? counts.fields() : fields;
          impressions += counts.lines();
        }
        counts.kinds().forEach((kind, n) -> sums.merge(kind, n, Long::sum));
        counts.absent().forEach((field, n) -> absent.merge(field, n, Long::sum));
      }
    }
    json.put("impressions", impressions);
    json.set("feedback", JSON.valueToTree(sums));
    json.set("absent", JSON.valueToTree(absent));
    json.put("tooLong", tooLong);
    json.set("fields", JSON.valueToTree(fields));
    return json;
  }

  /** Follows the examples topic into a file. */
  private static final class ExampleFile implements AutoCloseable {
    private final OutputStream file;
    private final TopicFollower follower;

    ExampleFile(Pipeline pipeline, Path path) throws IOException {
      file = new BufferedOutputStream(Files.newOutputStream(path));
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

    void catchUp(Topics topics, boolean whole) throws Exception {
      Duration patience = Duration.ofSeconds(whole ? 60 : 1);
      if (!TopicFollower.catchUp(topics, patience, follower) && whole) {
        throw new IOException("the last examples do not become readable");
      }
    }

    @Override
    public void close() throws IOException {
      follower.close();
      file.close();
    }
  }
}
