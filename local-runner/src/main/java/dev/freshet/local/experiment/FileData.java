package dev.freshet.local.experiment;

import dev.freshet.core.events.EventFormat;
import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.Impression;
import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.features.FeatureEncoder;
import dev.freshet.core.labels.DroppedEvent;
import dev.freshet.core.labels.LabelJoin;
import dev.freshet.core.labels.LabelKind;
import dev.freshet.core.labels.LabeledExample;
import dev.freshet.core.labels.PendingImpression;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.settings.Option;
import dev.freshet.core.training.TrainingSettings.Scoring;
import dev.freshet.local.replay.Lines;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;

/**
 * Files of events, as {@code freshet import} writes them, joined in event time. Unlike in a stream
 * nothing arrives late. Events that cannot be read are left out, as the job would reject them.
 */
public record FileData(
    @Option("Files of impressions, JSON lines, plain, .gz or .zip") List<String> impressions,
    @Option("Files of feedback; every line says its kind") List<String> feedback,
    @Option(
            value =
                "Order of examples: as a stream would give them, `told`, or `impression`, as if"
                    + " every label were known at once, which no stream can have",
            fallback = "told")
        Order order)
    implements DataSource {

  static final String KIND = "files";

  /** When labels are known. */
  public enum Order {
    TOLD,
    IMPRESSION
  }

  public FileData {
    impressions = List.copyOf(impressions);
    feedback = List.copyOf(feedback);
  }

  @Override
  public String kind() {
    return KIND;
  }

  @Override
  public boolean seeded() {
    return false;
  }

  @Override
  public Examples load(Pipeline pipeline, long seed) throws IOException {
    EventFormat format =
        pipeline.kafka().format().create(pipeline.impressionFields(), pipeline.feedbackKinds());
    boolean announce = pipeline.training().scoring().at() == Scoring.At.IMPRESSION;
    Join join = new Join(pipeline, announce);
    for (String file : impressions) {
      eachLine(file, line -> join.add(format.impression(line).event()));
    }
    for (String file : feedback) {
      eachLine(file, line -> join.add(format.feedback(line, null).event()));
    }
    List<EncodedExample> told = join.finish();
    return new Examples(order == Order.TOLD ? told : atImpression(told), new int[0]);
  }

  /** One example an impression, with all its settled labels, in the order of impressions. */
  private static List<EncodedExample> atImpression(List<EncodedExample> told) {
    Map<Long, EncodedExample> known = new LinkedHashMap<>();
    for (EncodedExample example : told) {
      TaskLabel[] settled = known.computeIfAbsent(example.id(), id -> unlabelled(example)).labels();
      for (int task = 0; task < settled.length; task++) {
        TaskLabel label = example.labels()[task];
        if (label.isFinal()) {
          settled[task] =
              new TaskLabel(LabelKind.FINAL, label.value(), 1, 0, label.delay(), label.reached());
        }
      }
    }
    return known.values().stream()
        .sorted(Comparator.comparingLong(EncodedExample::eventTime))
        .toList();
  }

  private static EncodedExample unlabelled(EncodedExample example) {
    TaskLabel[] none = new TaskLabel[example.labels().length];
    Arrays.fill(none, TaskLabel.NONE);
    return new EncodedExample(
        example.id(),
        example.eventTime(),
        example.holdout(),
        example.keys(),
        example.starts(),
        none,
        example.served());
  }

  private interface LineReader {
    void line(byte[] line);
  }

  private static void eachLine(String file, LineReader reader) throws IOException {
    Path path = Path.of(file);
    if (!Files.isRegularFile(path)) {
      throw new IOException(
          file + ": no such file; ./freshet import makes event files of public data sets");
    }
    try (BufferedReader lines = Lines.open(path)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (!line.isBlank()) {
          reader.line(line.getBytes(StandardCharsets.UTF_8));
        }
      }
    }
  }

  /** The join of the job, with all events there from the start and timers in order. */
  private static final class Join implements LabelJoin.Output {

    private record Timer(long at, long order, PendingImpression pending)
        implements Comparable<Timer> {
      @Override
      public int compareTo(Timer other) {
        return at != other.at ? Long.compare(at, other.at) : Long.compare(order, other.order);
      }
    }

    private final LabelJoin join;
    private final int tasks;
    private final FeatureEncoder encoder;
    private final Map<String, PendingImpression> pending = new LinkedHashMap<>();
    private final List<EncodedExample> examples = new ArrayList<>();

    Join(Pipeline pipeline, boolean announce) {
      join = new LabelJoin(pipeline.tasks(), pipeline.labels(), announce);
      tasks = pipeline.tasks().size();
      encoder = new FeatureEncoder(pipeline.schema(), pipeline.labels().holdout());
    }

    private PendingImpression pending(String id) {
      return pending.computeIfAbsent(id, key -> new PendingImpression(tasks));
    }

    void add(Impression event) {
      if (event != null) {
        join.onImpression(pending(event.id()), event, Long.MIN_VALUE, this);
      }
    }

    void add(Feedback event) {
      if (event != null) {
        join.onFeedback(pending(event.impressionId()), event, Long.MIN_VALUE, this);
      }
    }

    List<EncodedExample> finish() {
      PriorityQueue<Timer> timers = new PriorityQueue<>();
      long order = 0;
      for (PendingImpression waiting : pending.values()) {
        timers.add(new Timer(join.nextMoment(waiting), order++, waiting));
      }
      pending.clear();
      while (!timers.isEmpty()) {
        Timer timer = timers.poll();
        join.onTimer(timer.pending(), timer.at(), this);
        long next = join.nextMoment(timer.pending());
        if (!timer.pending().finished() && next != Long.MAX_VALUE) {
          timers.add(new Timer(next, order++, timer.pending()));
        }
      }
      return examples;
    }

    @Override
    public void example(LabeledExample example) {
      examples.add(encoder.encode(example));
    }

    @Override
    public void dropped(DroppedEvent event) {
      // Counted by the job; an experiment only learns.
    }
  }
}
