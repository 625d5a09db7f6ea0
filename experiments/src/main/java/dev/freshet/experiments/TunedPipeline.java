package dev.freshet.experiments;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.freshet.core.features.FeatureField;
import dev.freshet.core.labels.Task;
import dev.freshet.core.labels.correction.DelayCorrections;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.core.settings.InvalidSettingsException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Predicate;

/** A pipeline file, what may be changed about it, and the files that changes make. */
final class TunedPipeline {

  /**
   * One way to set all choices: 0 is as it is, others count from 1. Equal ones set the same.
   *
   * @param values one for each choice
   */
  record Candidate(List<Integer> values) {

    Candidate with(int choice, int value) {
      List<Integer> changed = new ArrayList<>(values);
      changed.set(choice, value);
      return new Candidate(List.copyOf(changed));
    }

    boolean asItIs() {
      return values.stream().allMatch(value -> value == 0);
    }
  }

  private static final int DRAWS_EACH = 100;

  private final ObjectNode file;
  private final List<TunedChoice> choices;

  /** The file's pipeline with the one model that is tuned. */
  private final Pipeline pipeline;

  /**
   * @throws InvalidSettingsException with every problem of the file
   */
  TunedPipeline(Path path) throws IOException {
    JsonNode read = PipelineFile.tree(Files.readString(path), path.toString());
    Pipeline whole = PipelineFile.bind(read, path.toString());
    file = (ObjectNode) read;
    if (whole.models().size() > 1) {
      JsonNode first = file.path("models").get(0);
      file.putArray("models").add(first);
    }
    pipeline = PipelineFile.bind(file, path.toString());
    choices = choices(task -> true);
  }

  private TunedPipeline(TunedPipeline of, Predicate<Task> judged) {
    file = of.file;
    pipeline = of.pipeline;
    choices = choices(judged);
  }

  /** The same with only those choices that may matter to some of the judged tasks. */
  TunedPipeline judgedBy(Predicate<Task> judged) {
    return new TunedPipeline(this, judged);
  }

  private List<TunedChoice> choices(Predicate<Task> judged) {
    List<TunedChoice> choices = new ArrayList<>();
    for (TunedChoice choice : TunedChoice.of(pipeline, file, judged)) {
      TunedChoice valid = choice.only(this::changesSomething);
      if (!valid.values().isEmpty()) {
        choices.add(valid);
      }
    }
    return choices;
  }

  /** True if a value makes a valid pipeline, and another one. */
  private boolean changesSomething(TunedChoice.Value value) {
    ObjectNode changed = file.deepCopy();
    value.change().accept(changed);
    try {
      Pipeline other = PipelineFile.bind(changed, "tuned");
      return !other.fingerprint().equals(pipeline.fingerprint());
    } catch (InvalidSettingsException e) {
      return false;
    }
  }

  Pipeline pipeline() {
    return pipeline;
  }

  List<TunedChoice> choices() {
    return choices;
  }

  Candidate asItIs() {
    return new Candidate(List.copyOf(Collections.nCopies(choices.size(), 0)));
  }

  /**
   * The file as it is and others, each with about half of its choices as they are.
   *
   * @param count of candidates in all, at most; fewer where there are not as many
   */
  List<Candidate> candidates(int count, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    Set<Candidate> all = new LinkedHashSet<>(List.of(asItIs()));
    Set<Candidate> tried = new HashSet<>(all);
    for (int draw = 0; all.size() < count && draw < count * DRAWS_EACH; draw++) {
      Integer[] values = new Integer[choices.size()];
      Arrays.setAll(
          values,
          i -> random.nextBoolean() ? 0 : 1 + random.nextInt(choices.get(i).values().size()));
      Candidate candidate = new Candidate(List.of(values));
      if (tried.add(candidate) && valid(candidate)) {
        all.add(candidate);
      }
    }
    return List.copyOf(all);
  }

  boolean valid(Candidate candidate) {
    try {
      PipelineFile.bind(tree(candidate), "tuned"); // As it would be written,
      pipeline(candidate); // and as it is learnt.
      return true;
    } catch (InvalidSettingsException e) {
      return false;
    }
  }

  private ObjectNode tree(Candidate candidate) {
    ObjectNode changed = file.deepCopy();
    for (int i = 0; i < choices.size(); i++) {
      int value = candidate.values().get(i);
      if (value > 0) {
        choices.get(i).values().get(value - 1).change().accept(changed);
      }
    }
    return changed;
  }

  /**
   * The pipeline of a candidate as it is learnt: all predictions are made when impressions come.
   */
  Pipeline pipeline(Candidate candidate) {
    ObjectNode changed = tree(candidate);
    ObjectNode scoring = changed.withObject("/training").withObject("/scoring");
    scoring.removeAll();
    // A prediction that waits is as good as one that does not: all are kept.
    scoring.put("at", "impression").put("window", 0).put("pending", Integer.MAX_VALUE);
    return PipelineFile.bind(changed, "candidate " + describe(candidate));
  }

  /** Equal for candidates whose examples are. */
  ExamplesKey examples(Candidate candidate) {
    Pipeline made = pipeline(candidate);
    return new ExamplesKey(
        made.tasks().stream().map(Task::correction).toList(),
        made.schema().fields().stream().map(FeatureField::name).toList());
  }

  /**
   * The part of all that is tuned that changes the examples.
   *
   * @param fields in the order of the keys, which depends on their sizes
   */
  record ExamplesKey(List<DelayCorrections> corrections, List<String> fields) {}

  /** The differences, as `key value`. */
  String describe(Candidate candidate) {
    List<String> changes = new ArrayList<>();
    for (int i = 0; i < choices.size(); i++) {
      int value = candidate.values().get(i);
      if (value > 0) {
        changes.add(choices.get(i).name() + " " + label(i, value));
      }
    }
    return changes.isEmpty() ? "as it is" : String.join(", ", changes);
  }

  String label(int choice, int value) {
    TunedChoice of = choices.get(choice);
    return value == 0 ? of.asItIs() : of.values().get(value - 1).label();
  }

  /**
   * Writes a candidate's file.
   *
   * @param head lines of comment to begin with
   */
  void write(Candidate candidate, List<String> head, Path to) throws IOException {
    YAMLMapper yaml =
        YAMLMapper.builder(
                YAMLFactory.builder()
                    .enable(YAMLGenerator.Feature.MINIMIZE_QUOTES)
                    .enable(YAMLGenerator.Feature.INDENT_ARRAYS_WITH_INDICATOR)
                    .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
                    .build())
            .build();
    StringBuilder text = new StringBuilder();
    head.forEach(line -> text.append("# ").append(line).append('\n'));
    text.append(yaml.writeValueAsString(tree(candidate)));
    PipelineFile.parse(text.toString(), to.toString());
    Files.writeString(to, text);
  }
}
