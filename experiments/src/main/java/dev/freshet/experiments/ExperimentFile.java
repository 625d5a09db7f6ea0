package dev.freshet.experiments;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.freshet.core.models.ModelDefinition;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.core.settings.InvalidSettingsException;
import dev.freshet.core.settings.Nearest;
import dev.freshet.core.settings.Problems;
import dev.freshet.core.settings.Problems.Problem;
import dev.freshet.core.settings.RecordBinder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Reads experiment files: the keys of {@link Experiment}; {@code pipeline}, a pipeline file (from
 * the folder of this one) or its content; and {@code override}, keys of the pipeline that are
 * different here. Lists, such as {@code models}, are replaced as a whole.
 *
 * @param experiment the experiment that is run
 * @param pipeline with its overrides
 */
public record ExperimentFile(Experiment experiment, List<Case> cases) {

  /**
   * Models on examples.
   *
   * @param name of the variant, or null for the experiment itself
   */
  public record Case(@Nullable String name, DataSource data, Pipeline pipeline) {

    /** With files that are not where the command was called from those beside the experiment. */
    private Case beside(Path file) {
      return data instanceof FileData files
          ? new Case(
              name, files.beside(requireNonNull(file.toAbsolutePath().getParent())), pipeline)
          : this;
    }

    /** Name of a model of this case in the results. */
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
  private static final Set<String> VARIANT_KEYS = new TreeSet<>(List.of(NAME, DATA, OVERRIDE));

  /** Keys of the file beside those of {@link Experiment}. */
  private static final Set<String> OTHERS = Set.of(PIPELINE, OVERRIDE, VARIANTS);

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
    List<Case> cases = new ArrayList<>();
    if (experiment != null
        && tree != null
        && (override == null || override.isObject())
        && readable(variants)) {
      merge(tree, override);
      if (variants == null) {
        add(cases, problems, () -> new Case(null, experiment.data(), bound(tree, PIPELINE)));
      } else {
        for (JsonNode variant : variants) {
          add(cases, problems, () -> variant(variant, keys, tree));
        }
      }
      int wanted = variants == null ? 1 : variants.size();
      if (cases.size() == wanted) {
        ExperimentFile read = new ExperimentFile(experiment, cases);
        read.checkNames(problems);
      }
    }
    problems.throwIfAny(file.toString());
    return new ExperimentFile(
        requireNonNull(experiment, "no problem was found"),
        cases.stream().map(one -> one.beside(file)).toList());
  }

  /** True if there are none, or each is a group with a name. */
  private static boolean readable(@Nullable JsonNode variants) {
    if (variants == null) {
      return true;
    }
    boolean all = variants.isArray() && !variants.isEmpty();
    for (JsonNode variant : variants) {
      all &= variant.path(NAME).isTextual();
    }
    return all;
  }

  /** A case, or what is wrong with it. */
  private static void add(List<Case> cases, Problems problems, Supplier<Case> one) {
    try {
      cases.add(one.get());
    } catch (InvalidSettingsException e) {
      e.problems()
          .forEach(problem -> problems.add(problem.path(), problem.value(), problem.allowed()));
    }
  }

  private static Pipeline bound(ObjectNode tree, String at) {
    try {
      return PipelineFile.bind(tree, at);
    } catch (InvalidSettingsException e) {
      throw new InvalidSettingsException(
          at,
          e.problems().stream()
              .map(one -> new Problem(at + "." + one.path(), one.value(), one.allowed()))
              .toList());
    }
  }

  private static @Nullable Experiment bind(ObjectNode keys, Problems problems) {
    return new RecordBinder(problems, Map.of(DataSource.class, DataSources.kinds()))
        .bind(keys, Experiment.class, "", OTHERS);
  }

  private static @Nullable ObjectNode pipeline(
      @Nullable JsonNode named, Path file, Problems problems) throws IOException {
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

  private static void group(@Nullable JsonNode node, String key, Problems problems) {
    if (node != null && !node.isObject()) {
      problems.add(key, node.toString(), "a group of keys");
    }
  }

  private static void check(@Nullable JsonNode variants, Problems problems) {
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
      group(variants.get(i).get(OVERRIDE), at + "." + OVERRIDE, problems);
      group(variants.get(i).get(DATA), at + "." + DATA, problems);
      if (!variants.get(i).path(NAME).isTextual()) {
        problems.add(at + "." + NAME, null, "text");
      }
      variants
          .get(i)
          .fieldNames()
          .forEachRemaining(
              key -> {
                if (!VARIANT_KEYS.contains(key)) {
                  problems.add(
                      at + "." + key,
                      key,
                      "one of the keys "
                          + String.join(", ", VARIANT_KEYS)
                          + Nearest.hint(key, VARIANT_KEYS));
                }
              });
    }
  }

  private static Case variant(JsonNode variant, ObjectNode keys, ObjectNode tree) {
    String name = variant.get(NAME).asText();
    Problems problems = new Problems();
    ObjectNode changed = keys.deepCopy();
    if (changed.get(DATA) instanceof ObjectNode data) {
      merge(data, variant.get(DATA));
    }
    Experiment experiment = bind(changed, problems);
    if (problems.found().stream().anyMatch(one -> one.path().startsWith(DATA))) {
      throw new InvalidSettingsException(
          name,
          problems.found().stream()
              .filter(one -> one.path().startsWith(DATA)) // Others are the file's.
              .map(
                  one ->
                      new Problem(
                          "variant " + name + ", " + one.path(), one.value(), one.allowed()))
              .toList());
    }
    ObjectNode pipeline = tree.deepCopy();
    merge(pipeline, variant.get(OVERRIDE));
    return new Case(
        name,
        requireNonNull(experiment).data(),
        bound(pipeline, "variant " + name + ", " + PIPELINE));
  }

  private static void merge(ObjectNode into, @Nullable JsonNode from) {
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

  private void checkNames(Problems problems) {
    List<String> names = names();
    String allowed = "one of " + String.join(", ", names);
    Map<String, String> asked = new LinkedHashMap<>();
    asked.put("baseline", experiment.baseline());
    asked.put("relative.ceiling", experiment.relative().ceiling());
    experiment.relative().floors().forEach(floor -> asked.put("relative.floors", floor));
    asked.forEach(
        (key, name) -> {
          if (name != null && !names.contains(name)) {
            problems.add(key, name, allowed + Nearest.hint(name, names));
          }
        });
    if (names.stream().distinct().count() < names.size()) {
      problems.add(VARIANTS, names.toString(), "different names");
    }
    List<Pipeline> pipelines = cases.stream().map(Case::pipeline).toList();
    TrialMetrics.check("metrics", experiment.metrics(), pipelines, problems);
    TrialMetrics.check("relative.metrics", experiment.relative().metrics(), pipelines, problems);
  }

  /** Names of the rows of the results, in order. */
  List<String> names() {
    return cases.stream().flatMap(one -> one.pipeline().models().stream().map(one::label)).toList();
  }

  /** The row that others are compared with. */
  public String baseline() {
    List<String> names = names();
    return experiment.baseline() != null ? experiment.baseline() : names.get(names.size() - 1);
  }
}
