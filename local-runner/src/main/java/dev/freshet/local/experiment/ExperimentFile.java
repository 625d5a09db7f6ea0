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
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reads experiment files: the keys of {@link Experiment}; {@code pipeline}, a pipeline file (from
 * the folder of this one) or its content; and {@code override}, keys of the pipeline that are
 * different here. Lists, such as {@code models}, are replaced as a whole.
 *
 * @param experiment what to do
 * @param pipeline with its overrides
 */
public record ExperimentFile(Experiment experiment, List<Case> cases) {

  /**
   * Models on examples.
   *
   * @param name of the variant, or null for the experiment itself
   */
  public record Case(String name, DataSource data, Pipeline pipeline) {

    /** What a model of this case is called in the results. */
    String label(ModelDefinition model) {
      if (name == null) {
        return model.name();
      }
      return pipeline.models().size() == 1 ? name : name + "/" + model.name();
    }
  }

  private static final String PIPELINE = "pipeline";
  private static final String OVERRIDE = "override";
  private static final String VARIANTS = "variants";
  private static final String DATA = "data";
  private static final String NAME = "name";
  private static final Set<String> VARIANT_KEYS = Set.of(NAME, DATA, OVERRIDE);

  /**
   * Reads and checks a file.
   *
   * @throws dev.freshet.core.settings.InvalidSettingsException with every problem of the file
   * @throws IOException if it or its pipeline cannot be read
   */
  public static ExperimentFile read(Path file) throws IOException {
    JsonNode root = PipelineFile.tree(Files.readString(file), file.toString());
    Problems problems = new Problems();
    if (!(root instanceof ObjectNode keys)) {
      problems.add("file", root.toString(), "a group of keys");
      problems.throwIfAny(file.toString());
      throw new IllegalStateException("unreachable");
    }
    JsonNode named = keys.remove(PIPELINE);
    JsonNode override = keys.remove(OVERRIDE);
    JsonNode variants = keys.remove(VARIANTS);
    Experiment experiment = bind(keys, problems);
    ObjectNode tree = pipeline(named, file, problems);
    group(override, OVERRIDE, problems);
    check(variants, problems);
    problems.throwIfAny(file.toString());

    merge(tree, override);
    List<Case> cases = new ArrayList<>();
    if (variants == null) {
      cases.add(
          new Case(null, experiment.data(), PipelineFile.bind(tree, file + ", its pipeline")));
    } else {
      for (JsonNode variant : variants) {
        cases.add(variant(variant, keys, tree, file));
      }
    }
    ExperimentFile read = new ExperimentFile(experiment, cases);
    read.requireNames(file);
    return read;
  }

  private static Experiment bind(ObjectNode keys, Problems problems) {
    return new RecordBinder(problems, Map.of(DataSource.class, DataSources.kinds()))
        .bind(keys, Experiment.class, "");
  }

  private static ObjectNode pipeline(JsonNode named, Path file, Problems problems)
      throws IOException {
    if (named instanceof ObjectNode group) {
      return group;
    }
    if (named != null && named.isTextual()) {
      Path path = file.toAbsolutePath().resolveSibling(named.asText());
      if (Files.isRegularFile(path)
          && PipelineFile.tree(Files.readString(path), path.toString())
              instanceof ObjectNode group) {
        return group;
      }
    }
    String value = named == null ? null : named.asText();
    problems.add(PIPELINE, value, "a pipeline file, or its keys");
    return null;
  }

  private static void group(JsonNode node, String key, Problems problems) {
    if (node != null && !node.isObject()) {
      problems.add(key, node.toString(), "a group of keys");
    }
  }

  private static void check(JsonNode variants, Problems problems) {
    if (variants == null) {
      return;
    }
    if (!variants.isArray() || variants.isEmpty()) {
      problems.add(VARIANTS, variants.toString(), "a list of at least one");
      return;
    }
    for (int i = 0; i < variants.size(); i++) {
      String at = VARIANTS + "[" + i + "]";
      group(variants.get(i), at, problems);
      if (!variants.get(i).path(NAME).isTextual()) {
        problems.add(at + "." + NAME, null, "text");
      }
      variants
          .get(i)
          .fieldNames()
          .forEachRemaining(
              key -> {
                if (!VARIANT_KEYS.contains(key)) {
                  problems.add(at + "." + key, key, "one of the keys name, data, override");
                }
              });
    }
  }

  private static Case variant(JsonNode variant, ObjectNode keys, ObjectNode tree, Path file) {
    String name = variant.get(NAME).asText();
    Problems problems = new Problems();
    ObjectNode changed = keys.deepCopy();
    merge((ObjectNode) changed.get(DATA), variant.get(DATA));
    Experiment experiment = bind(changed, problems);
    problems.throwIfAny(file + ", variant " + name);
    ObjectNode pipeline = tree.deepCopy();
    merge(pipeline, variant.get(OVERRIDE));
    return new Case(
        name, experiment.data(), PipelineFile.bind(pipeline, file + ", variant " + name));
  }

  private static void merge(ObjectNode into, JsonNode from) {
    if (from == null) {
      return;
    }
    for (Map.Entry<String, JsonNode> entry : from.properties()) {
      JsonNode known = into.get(entry.getKey());
      if (known instanceof ObjectNode group && entry.getValue().isObject()) {
        merge(group, entry.getValue());
      } else {
        into.set(entry.getKey(), entry.getValue());
      }
    }
  }

  private void requireNames(Path file) {
    Problems problems = new Problems();
    List<String> names = names();
    String allowed = "one of " + String.join(", ", names);
    Map<String, String> asked = new LinkedHashMap<>();
    asked.put("baseline", experiment.baseline());
    asked.put("relative.ceiling", experiment.relative().ceiling());
    experiment.relative().floors().forEach(floor -> asked.put("relative.floors", floor));
    asked.forEach(
        (key, name) -> {
          if (name != null && !names.contains(name)) {
            problems.add(key, name, allowed);
          }
        });
    if (names.stream().distinct().count() < names.size()) {
      problems.add(VARIANTS, names.toString(), "different names");
    }
    problems.throwIfAny(file.toString());
  }

  /** What the rows of the results are called, in order. */
  List<String> names() {
    return cases.stream().flatMap(one -> one.pipeline().models().stream().map(one::label)).toList();
  }

  /** The row that others are compared with. */
  public String baseline() {
    List<String> names = names();
    return experiment.baseline() != null ? experiment.baseline() : names.get(names.size() - 1);
  }
}
