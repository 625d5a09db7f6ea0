package dev.freshet.local.run;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.freshet.core.codec.Sha256;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.SystemTopic;
import dev.freshet.core.settings.EnumNames;
import dev.freshet.local.broker.Topics;
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
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * A {@link LocalRun} over files of events: all of them go into the topics, then the job runs to
 * their end, closes every window and learns the last labels.
 *
 * <p>It may be ended at any point, by whatever: started again with the same folder and files it
 * goes on, and ends with what an undisturbed run would have written, once. Files that are new to a
 * folder whose run has ended are sent after the others and learnt, but for the events in them that
 * are learnt already.
 */
public final class ReplayRun {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String EXAMPLES = "examples";
  private static final String NONE = "none";

  private Pipeline pipeline;
  private final LocalRun.Settings settings;
  private final EndRequest end;
  private final PrintStream out;
  private RunRecord record;

  @SuppressWarnings("NullAway.Init") // run begins with the record
  public ReplayRun(Pipeline pipeline, LocalRun.Settings settings, EndRequest end, PrintStream out) {
    this.pipeline = pipeline.withImpressionsApart();
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
  public ObjectNode run(List<Path> impressions, List<Path> feedback, @Nullable Path examples)
      throws Exception {
    record = record();
    List<Input> given = ReplayInputs.read(impressions, feedback);
    Batch batch = ReplayInputs.next(record, given);
    if (batch == null && examples == null) {
      out.println(
          "All of this is learnt already, in " + settings.folder() + "; --again begins anew");
      return learnt();
    }
    ObjectNode report;
    do {
      if (batch != null && batch.state() == State.SENDING) {
        FileCheck.require(pipeline, batch.inputs(), out);
      }
      report = next(batch, examples);
      batch = learnt(report) ? ReplayInputs.next(record, given) : null;
    } while (batch != null);
    return report;
  }

  private ObjectNode next(@Nullable Batch batch, @Nullable Path examples) throws Exception {
    end.interruptsMe(true);
    try (LocalRun run = LocalRun.open(pipeline, settings, end, out);
        ExampleFile file = examples == null ? null : new ExampleFile(run.pipeline(), examples)) {
      end.interruptsMe(false);
      ObjectNode report = batch == null ? learnt() : learn(run, batch);
      if (file != null) {
        file.catchUp(run.topics(), learnt(report));
      }
      if (learnt(report)) {
        record = record.ended(report);
        record.write(settings.folder());
      }
      return report;
    }
  }

  /** The final figures of before. */
  private ObjectNode learnt() {
    return requireNonNull(record.report(), "no batch is open");
  }

  private static boolean learnt(ObjectNode report) {
    return report.path("ended").asText().equals(EnumNames.of(LocalRun.Ending.LEARNT));
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
    ObjectNode before = record.report();
    if (batch.state() == State.SENDING) {
      Optional<Batch> all = send(run, batch);
      if (all.isEmpty()) {
        return run.report(LocalRun.Ending.INTERRUPTED);
      }
      sent = all.get();
    }
    long lines = counts(List.of(sent)).lines();
    if (lines == 0 && before != null) {
      out.println("Nothing of this is new");
      before.set("inputs", inputs(record.batches()));
      before.set("latest", JSON.createObjectNode().set("inputs", inputs(List.of(sent))));
      return before;
    }
    double start = run.seconds();
    run.startJob();
    LocalRun.Ending ending = run.follow(() -> true, Double.MAX_VALUE);
    double took = run.seconds() - start;
    ObjectNode report = run.report(ending);
    out.printf("%,d events in %.1f s: %,.0f events/s%n", lines, took, lines / took);
    report.put("eventsPerSecond", RunReport.round(lines / took));
    report.set("inputs", inputs(record.batches()));
    ObjectNode latest = report.putObject("latest");
    latest.set("inputs", inputs(List.of(sent)));
    run.reportDeadLetters(latest, sent.from());
    return report;
  }

  /** Puts what is not there yet into the topics; empty if the end was wanted before all was. */
  private Optional<Batch> send(LocalRun run, Batch begun) throws Exception {
    Batch batch = begun;
    if (record.open().isEmpty()) {
      Set<String> topics = new HashSet<>(run.topics().eventTopics());
      topics.add(pipeline.topic(SystemTopic.DEAD_LETTERS));
      Map<String, Long> from = new TreeMap<>();
      run.topics().ends(topics).forEach((partition, at) -> from.put(partition.toString(), at));
      batch = new Batch(batch.inputs(), from, State.SENDING);
    }
    record = record.with(batch);
    record.write(settings.folder());
    Map<TopicPartition, Long> from = new HashMap<>();
    for (TopicPartition partition : run.topics().ends(run.topics().eventTopics()).keySet()) {
      from.put(partition, batch.from().getOrDefault(partition.toString(), 0L));
    }
    List<Input> sent = new ArrayList<>();
    LearntBefore before = LearntBefore.read(run.pipeline(), from, out, end::made);
    try (ResumingProducer producer = new ResumingProducer(run.pipeline(), run.topics(), from)) {
      EventSender sender = new EventSender(run, producer, before, end);
      for (Input input : batch.inputs()) {
        InputCounts counts = sender.send(input);
        if (counts == null) {
          return Optional.empty();
        }
        sent.add(new Input(input.use(), input.path(), input.sha256(), counts));
      }
      producer.flush();
      if (producer.skipped() > 0) {
        out.printf("%,d events were there already%n", producer.skipped());
      }
    }
    Batch whole = new Batch(sent, batch.from(), State.SENT);
    tellSent(counts(List.of(whole)));
    record = record.with(whole);
    record.write(settings.folder());
    return Optional.of(whole);
  }

  private void tellSent(InputCounts counts) {
    if (counts.allLearnt() > 0) {
      StringBuilder kinds = new StringBuilder();
      counts
          .learnt()
          .forEach(
              (kind, n) ->
                  kinds.append(
                      String.format(
                          Locale.ROOT, "  %s %,d", kind.isEmpty() ? "unknown kind" : kind, n)));
      out.printf(
          Locale.ROOT,
          "%,d lines are learnt already, or were refused, in an earlier replay; passed over:%s%n"
              + "  the first: %s%n",
          counts.allLearnt(),
          kinds,
          counts.learntSample());
    }
    if (counts.tooLate() > 0) {
      out.printf(
          Locale.ROOT,
          "%,d feedback events are new, and their impressions are learnt: they come too late%n",
          counts.tooLate());
    }
    if (counts.passedOver() > 0) {
      out.printf(
          Locale.ROOT,
          "%,d lines were passed over, as `events` of the pipeline says%n",
          counts.passedOver());
    }
    out.printf(Locale.ROOT, "%,d events are in the topics%n", counts.lines());
  }

  private static InputCounts sent(Input input) {
    return requireNonNull(input.sent(), "all of it was sent");
  }

  private static InputCounts counts(List<Batch> batches) {
    return batches.stream()
        .flatMap(batch -> batch.inputs().stream())
        .map(ReplayRun::sent)
        .reduce(InputCounts.NONE, InputCounts::plus);
  }

  /** All that has gone into this folder's topics with these batches. */
  private static ObjectNode inputs(List<Batch> batches) {
    long impressions =
        batches.stream()
            .flatMap(batch -> batch.inputs().stream())
            .filter(input -> input.use().equals(ReplayInputs.IMPRESSIONS))
            .mapToLong(input -> sent(input).lines() - sent(input).tooLong())
            .sum();
    return counts(batches).report(impressions);
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
              requireNonNull(pipeline.examplesTopic()),
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
