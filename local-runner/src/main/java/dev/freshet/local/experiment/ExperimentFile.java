package dev.freshet.local.experiment;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.freshet.core.models.ModelDefinition;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.core.settings.Problems;
import dev.freshet.core.settings.RecordBinder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Reads experiment files: the keys of {@link Experiment}; {@code pipeline}, a pipeline file (from
 * the folder of this one) or its content; and {@code override}, keys of the pipeline that are
 * different here. Lists, such as {@code models}, are replaced as a whole.
 *
 * @param experiment what to do
 * @param pipeline with its overrides
 */
public record ExperimentFile(Experiment experiment, Pipeline pipeline) {

  private static final String PIPELINE = "pipeline";
  private static final String OVERRIDE = "override";

  /**
   * Reads and checks a file.
   *
   * @throws dev.freshet.core.settings.InvalidSettingsException with every problem of the file
   * @throws IOException if it or its pipeline cannot be read
   */
  public static ExperimentFile read(Path file) throws IOException {
    JsonNode root = PipelineFile.tree(Files.readString(file), file.toString());
    Path folder = file.toAbsolutePath().getParent();
    Problems problems = new Problems();
    if (!(root instanceof ObjectNode keys)) {
      problems.add("file", root.toString(), "a group of keys");
      problems.throwIfAny(file.toString());
      throw new IllegalStateException("unreachable");
    }
    JsonNode named = keys.remove(PIPELINE);
    JsonNode override = keys.remove(OVERRIDE);
    Experiment experiment =
        new RecordBinder(problems, Map.of(DataSource.class, DataSources.kinds()))
            .bind(keys, Experiment.class, "");
    Path path = named != null && named.isTextual() ? folder.resolve(named.asText()) : null;
    boolean readable = path == null ? named instanceof ObjectNode : Files.isRegularFile(path);
    if (!readable) {
      String value = named == null ? null : named.asText();
      problems.add(PIPELINE, value, "a pipeline file, or its keys");
    }
    if (override != null && !override.isObject()) {
      problems.add(OVERRIDE, override.toString(), "a group of keys of the pipeline");
    }
    problems.throwIfAny(file.toString());
    ObjectNode tree =
        path == null
            ? (ObjectNode) named
            : (ObjectNode) PipelineFile.tree(Files.readString(path), path.toString());
    if (override != null) {
      merge(tree, override);
    }
    Pipeline pipeline = PipelineFile.bind(tree, file + ", its pipeline");
    List<String> models = pipeline.models().stream().map(ModelDefinition::name).toList();
    if (experiment.baseline() != null && !models.contains(experiment.baseline())) {
      problems.add("baseline", experiment.baseline(), "one of " + String.join(", ", models));
      problems.throwIfAny(file.toString());
    }
    return new ExperimentFile(experiment, pipeline);
  }

  private static void merge(ObjectNode into, JsonNode from) {
    for (Map.Entry<String, JsonNode> entry : from.properties()) {
      JsonNode known = into.get(entry.getKey());
      if (known instanceof ObjectNode group && entry.getValue().isObject()) {
        merge(group, entry.getValue());
      } else {
        into.set(entry.getKey(), entry.getValue());
      }
    }
  }

  /** The model that others are compared with. */
  public String baseline() {
    List<ModelDefinition> models = pipeline.models();
    return experiment.baseline() != null
        ? experiment.baseline()
        : models.get(models.size() - 1).name();
  }
}
