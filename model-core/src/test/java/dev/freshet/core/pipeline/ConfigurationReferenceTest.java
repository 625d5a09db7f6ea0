package dev.freshet.core.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.freshet.core.models.ModelDefinition;
import dev.freshet.core.models.Models;
import dev.freshet.core.settings.ByteSize;
import dev.freshet.core.settings.EnumNames;
import dev.freshet.core.settings.Option;
import dev.freshet.core.settings.RecordBinder;
import dev.freshet.core.settings.TextValues;
import java.io.IOException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * Makes {@code docs/configuration.md} and {@code docs/pipeline.schema.json} from the records that
 * parse a pipeline file, and fails when the committed ones are stale. To write them: {@code
 * -Dgolden.write=true}.
 */
class ConfigurationReferenceTest {

  private static final Path DOCS = Path.of("..", "docs");

  @Test
  void theReferencePageIsCurrent() throws IOException {
    StringBuilder page =
        new StringBuilder(
            """
            # The pipeline file

            Generated from the records that parse it; a test keeps it current. Durations are written `500ms`, `15m`,
            `3d`, sizes `512KB`. Every problem of a file is reported at once, by `./freshet check FILE` and at start.
            [pipeline.schema.json](pipeline.schema.json) lets editors complete and check keys.
            """);
    section(page, "The file", Pipeline.class, "");
    Models.kinds()
        .forEach((kind, type) -> section(page, "Model `" + kind + "`", type, "models[]."));
    current(DOCS.resolve("configuration.md"), page.toString());
  }

  private static void section(
      StringBuilder page, String title, Class<? extends Record> type, String prefix) {
    page.append("\n## ").append(title).append("\n\n");
    page.append("| key | value | default | meaning |\n| --- | --- | --- | --- |\n");
    rows(page, type, prefix);
  }

  private static void rows(StringBuilder page, Class<?> type, String prefix) {
    for (RecordComponent component : type.getRecordComponents()) {
      Option option = component.getAnnotation(Option.class);
      assertThat(option).as("%s.%s says what it is", type, component.getName()).isNotNull();
      String key = prefix + RecordBinder.key(component);
      Class<?> element = element(component.getGenericType());
      if (element == ModelDefinition.class) {
        page.append(
            "| `%s[].kind` | one of %s | required | Kind of the model; its keys are below |%n"
                .formatted(key, String.join(", ", Models.kinds().keySet())));
      } else if (nested(element)) {
        boolean map = component.getType() == Map.class;
        boolean list = !map && component.getType() != element;
        if (map) {
          page.append(
              "| `%s.NAME` | a group of keys | none | %s |%n".formatted(key, option.value()));
        }
        rows(page, element, key + (map ? ".NAME." : list ? "[]." : "."));
      } else {
        page.append(
            "| `%s` | %s | %s | %s |%n"
                .formatted(
                    key,
                    TextValues.describe(component.getGenericType()),
                    fallback(option),
                    option.value()));
      }
    }
  }

  private static String fallback(Option option) {
    return switch (option.fallback()) {
      case Option.REQUIRED -> "required";
      case Option.ABSENT -> "none";
      case "" -> "empty";
      default -> "`" + option.fallback() + "`";
    };
  }

  private static boolean nested(Class<?> type) {
    return type.isRecord() && type != ByteSize.class;
  }

  private static Class<?> element(Type type) {
    return type instanceof ParameterizedType generic
        ? (Class<?>) generic.getActualTypeArguments()[generic.getActualTypeArguments().length - 1]
        : (Class<?>) type;
  }

  @Test
  void theJsonSchemaIsCurrent() throws IOException {
    ObjectMapper mapper = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
    ObjectNode schema = mapper.createObjectNode();
    schema.put("$schema", "https://json-schema.org/draft/2020-12/schema");
    schema.put("title", "Freshet pipeline");
    object(schema, Pipeline.class);
    current(DOCS.resolve("pipeline.schema.json"), mapper.writeValueAsString(schema) + "\n");
  }

  private static void object(ObjectNode schema, Class<?> type) {
    schema.put("type", "object").put("additionalProperties", false);
    ObjectNode properties = schema.putObject("properties");
    for (RecordComponent component : type.getRecordComponents()) {
      Option option = component.getAnnotation(Option.class);
      String key = RecordBinder.key(component);
      value(properties.putObject(key), component.getGenericType());
      properties.withObject("/" + key).put("description", option.value());
      if (option.fallback().equals(Option.REQUIRED) && !component.getType().isRecord()) {
        schema.withArray("required").add(key);
      }
    }
  }

  private static void value(ObjectNode schema, Type type) {
    Class<?> element = element(type);
    if (type instanceof ParameterizedType generic) {
      boolean map = generic.getRawType() == Map.class;
      if (!map && element == String.class) { // one text may stand for a list of it
        schema.withArray("oneOf").addObject().put("type", "string");
        ObjectNode list = schema.withArray("oneOf").addObject().put("type", "array");
        value(list.putObject("items"), element);
        return;
      }
      schema.put("type", map ? "object" : "array");
      value(schema.putObject(map ? "additionalProperties" : "items"), element);
    } else if (element == ModelDefinition.class) {
      for (Map.Entry<String, Class<? extends Record>> kind : Models.kinds().entrySet()) {
        ObjectNode one = schema.withArray("oneOf").addObject();
        object(one, kind.getValue());
        one.withObject("/properties").putObject("kind").put("const", kind.getKey());
        one.withArray("required").add("kind");
      }
    } else if (nested(element) && RecordBinder.alone(element) != null) {
      object(schema.withArray("oneOf").addObject(), element);
      value(schema.withArray("oneOf").addObject(), RecordBinder.alone(element).getGenericType());
    } else if (nested(element)) {
      object(schema, element);
    } else if (element.isEnum()) {
      Arrays.stream(element.getEnumConstants())
          .forEach(c -> schema.withArray("enum").add(EnumNames.of((Enum<?>) c)));
    } else if (element == int.class || element == Integer.class || element == long.class) {
      schema.put("type", "integer");
    } else if (element == double.class || element == Double.class) {
      schema.put("type", "number");
    } else if (element == boolean.class) {
      schema.put("type", "boolean");
    } else {
      schema.put("type", "string");
    }
  }

  private static void current(Path file, String expected) throws IOException {
    if (Boolean.getBoolean("golden.write")) {
      Files.writeString(file, expected);
    }
    assertThat(Files.readString(file))
        .as("%s is stale: -Dgolden.write=true", file)
        .isEqualTo(expected);
  }
}
