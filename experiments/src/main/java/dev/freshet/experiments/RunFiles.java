package dev.freshet.experiments;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.freshet.core.events.Impression;
import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.labels.ExampleJson;
import dev.freshet.core.labels.LabeledExample;
import dev.freshet.core.labels.Task;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TrainingSettings.Scoring;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;

/**
 * Files that other learners need to be compared with an experiment's models, on the same examples
 * in the same order and by the same labels:
 *
 * <ul>
 *   <li>{@code examples-1.jsonl.gz}: what is learnt, in order, in the layout of {@link
 *       ExampleJson}; a label of weight 0 is scored and not learnt.
 *   <li>{@code predictions-1.npy}: for each of these examples and each task, what a label that is
 *       final here is scored against; NaN if nothing was known of the task then, infinite if it is
 *       not scored.
 *   <li>{@code served-1.npy}: the scores that impressions brought with them, where they did; of
 *       simulated ones the truth.
 *   <li>{@code runs.json}: which is which, with the metrics of each run, and under {@code diverged}
 *       the runs that came to nothing.
 * </ul>
 */
final class RunFiles {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path folder;
  private final ObjectNode root = JSON.createObjectNode();
  private final ArrayNode files;
  private final ArrayNode runs;
  private final Map<SharedExamples, String> written = new IdentityHashMap<>();

  RunFiles(Path folder, String experiment) throws IOException {
    this.folder = Files.createDirectories(folder);
    root.put("experiment", experiment);
    files = root.putArray("examples");
    runs = root.putArray("runs");
  }

  /** Writes a run's predictions, and its examples where no other run has the same. */
  synchronized void add(
      Outcome outcome, SharedExamples shared, Pipeline pipeline, float[][] predictions)
      throws IOException {
    String examples = written.get(shared);
    if (examples == null) {
      examples = "examples-" + (files.size() + 1) + ".jsonl.gz";
      write(folder.resolve(examples), shared);
      ObjectNode file = files.addObject().put("file", examples);
      describe(file, shared);
      float[][] served = served(shared);
      if (served != null) {
        file.put("served", "served-" + files.size() + ".npy");
        NumpyFile.write(
            folder.resolve(file.path("served").asText()), served, pipeline.tasks().size());
      }
      written.put(shared, examples);
    }
    String name = "predictions-" + (runs.size() + 1) + ".npy";
    NumpyFile.write(folder.resolve(name), predictions, pipeline.tasks().size());
    ObjectNode run = runs.addObject().put("model", outcome.model()).put("seed", outcome.seed());
    run.put("examples", examples).put("predictions", name).put("seconds", outcome.seconds());
    Scoring scoring = pipeline.training().scoring();
    run.put("scoredFrom", text(scoring.from())).put("scoredTo", text(scoring.to()));
    ObjectNode metrics = run.putObject("metrics");
    outcome.metrics().forEach(metrics::put);
  }

  /** A run that came to nothing. */
  synchronized void addDiverged(Outcome outcome) {
    root.withArray("/diverged")
        .addObject()
        .put("model", outcome.model())
        .put("seed", outcome.seed())
        .put("why", outcome.diverged());
  }

  private static @Nullable String text(@Nullable LocalDate day) {
    return day == null ? null : day.toString();
  }

  private static void describe(ObjectNode file, SharedExamples shared) {
    file.put("seed", shared.seed());
    ArrayNode tasks = file.putArray("tasks");
    for (Task task : shared.pipeline().tasks()) {
      tasks.addObject().put("name", task.name()).put("kind", task.binary() ? "binary" : "amount");
    }
    ArrayNode fields = file.putArray("fields");
    shared.pipeline().impressionFields().categorical().forEach(fields::add);
    shared.pipeline().impressionFields().numeric().forEach(fields::add);
  }

  /** The scores that impressions brought with them, NaN for none; null if none did. */
  private static float @Nullable [][] served(SharedExamples shared) throws IOException {
    List<EncodedExample> all = shared.get().all();
    if (all.stream().allMatch(example -> example.served().length == 0)) {
      return null;
    }
    float[][] served = new float[all.size()][shared.pipeline().tasks().size()];
    for (int i = 0; i < served.length; i++) {
      Arrays.fill(served[i], Float.NaN);
      System.arraycopy(all.get(i).served(), 0, served[i], 0, all.get(i).served().length);
    }
    return served;
  }

  private static void write(Path file, SharedExamples shared) throws IOException {
    Pipeline pipeline = shared.pipeline();
    ExampleJson json = new ExampleJson(pipeline.impressionFields(), pipeline.tasks());
    Examples examples = shared.get();
    try (OutputStream out =
        new BufferedOutputStream(new GZIPOutputStream(Files.newOutputStream(file), 1 << 16))) {
      for (int i = 0; i < examples.all().size(); i++) {
        EncodedExample example = examples.all().get(i);
        Impression impression =
            new Impression(
                example.impression(), example.eventTime(), examples.features().get(i), null);
        out.write(json.write(new LabeledExample(impression, told(example), learnt(example))));
        out.write('\n');
      }
    }
  }

  /** When the labels were read: as long after the impression as the slowest of them. */
  private static long told(EncodedExample example) {
    return example.eventTime()
        + Stream.of(example.labels()).mapToLong(TaskLabel::elapsed).max().orElse(0);
  }

  private static TaskLabel[] learnt(EncodedExample example) {
    return example.holdout()
        ? Stream.of(example.labels()).map(l -> l.withWeight(0)).toArray(TaskLabel[]::new)
        : example.labels();
  }

  void finish() throws IOException {
    JSON.writerWithDefaultPrettyPrinter().writeValue(folder.resolve("runs.json").toFile(), root);
  }
}
