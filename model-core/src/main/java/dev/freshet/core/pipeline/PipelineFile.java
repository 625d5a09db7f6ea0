package dev.freshet.core.pipeline;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.freshet.core.events.mapping.EventMapping;
import dev.freshet.core.models.ModelDefinition;
import dev.freshet.core.models.Models;
import dev.freshet.core.settings.InvalidSettingsException;
import dev.freshet.core.settings.Option;
import dev.freshet.core.settings.PlainFault;
import dev.freshet.core.settings.Problems;
import dev.freshet.core.settings.RecordBinder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** Reads pipeline files. */
public final class PipelineFile {

  private static final YAMLMapper YAML =
      YAMLMapper.builder(YAMLFactory.builder().build())
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private PipelineFile() {}

  /**
   * Reads and checks a file.
   *
   * @throws InvalidSettingsException with every problem of the file
   * @throws IOException if it cannot be read
   */
  public static Pipeline read(Path file) throws IOException {
    return parse(Files.readString(file), file.toString());
  }

  /**
   * As {@link #read} for text.
   *
   * @param source its name in messages
   */
  public static Pipeline parse(String text, String source) {
    return bind(tree(text, source), source);
  }

  /** The file's keys and values, unchecked but for being YAML without repeated keys. */
  public static JsonNode tree(String text, String source) {
    try {
      return YAML.readTree(text);
    } catch (JsonProcessingException e) {
      Problems problems = new Problems();
      var at = e.getLocation();
      String fault = what(e);
      problems.add(
          at == null ? "file" : "line " + at.getLineNr(),
          fault,
          fault.contains("escape")
              ? "valid YAML: a text with backslashes stands in single quotes"
              : "valid YAML");
      throw new InvalidSettingsException(source, problems.found());
    }
  }

  /** The fault, without the lines around it, in which a password may be. */
  private static String what(JsonProcessingException e) {
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      if (cause instanceof org.yaml.snakeyaml.error.MarkedYAMLException marked) {
        return marked.getProblem();
      }
    }
    return PlainFault.of(e);
  }

  /** A file of {@code events} alone. */
  public record Events(@Option("Layouts") Map<String, EventMapping> events) {}

  /**
   * The layouts of a file that says nothing else.
   *
   * @param source its name in messages
   * @throws InvalidSettingsException with every problem of the file
   */
  public static Map<String, EventMapping> events(String text, String source) {
    Problems problems = new Problems();
    Events read = new RecordBinder(problems, Map.of()).bind(tree(text, source), Events.class, "");
    problems.throwIfAny(source);
    return requireNonNull(read, "no problem was found").events();
  }

  /** As {@link #parse} for keys and values that were read before. */
  public static Pipeline bind(JsonNode root, String source) {
    Problems problems = new Problems();
    Pipeline pipeline =
        new RecordBinder(problems, Map.of(ModelDefinition.class, Models.kinds()))
            .bind(root, Pipeline.class, "");
    problems.throwIfAny(source);
    return requireNonNull(pipeline, "no problem was found");
  }
}
