package dev.freshet.topics;

import com.fasterxml.jackson.databind.JsonNode;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.core.settings.InvalidSettingsException;
import dev.freshet.core.settings.Problems;
import dev.freshet.core.settings.Problems.Problem;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigValue;
import org.apache.kafka.common.config.SaslConfigs;
import org.apache.kafka.common.config.types.Password;
import org.apache.kafka.common.security.JaasContext;

/** Checks {@code kafka.properties} with Kafka's own classes, and shows none of their values. */
public final class ClientProperties {

  private static final String PATH = "kafka.properties.";
  private static final String HIDDEN = "(not shown)";
  private static final List<ConfigDef> KNOWN =
      List.of(
          ProducerConfig.configDef(), ConsumerConfig.configDef(), AdminClientConfig.configDef());

  /** What config providers put something else in the place of, alone. */
  private static final Pattern REFERENCE = Pattern.compile("\\$\\{[^}:]+:[^}]+}");

  private ClientProperties() {}

  /**
   * Reads a pipeline file and tells everything that is wrong with it, these properties included;
   * asks no broker.
   *
   * @throws InvalidSettingsException with every problem
   * @throws IOException if it cannot be read
   */
  public static Pipeline read(PipelineSource from) throws IOException {
    String source = from.toString();
    JsonNode tree = PipelineFile.tree(from.text(), source);
    Problems problems = new Problems();
    Map<String, String> properties = new HashMap<>();
    for (Map.Entry<String, JsonNode> e : tree.path("kafka").path("properties").properties()) {
      if (e.getValue().isValueNode() && !e.getValue().isNull()) {
        properties.put(e.getKey(), e.getValue().asText());
      }
    }
    check(properties, problems);
    try {
      Pipeline pipeline = PipelineFile.bind(tree, source);
      problems.throwIfAny(source);
      return pipeline;
    } catch (InvalidSettingsException e) {
      List<Problem> all = new ArrayList<>(e.problems());
      problems.found().stream().filter(p -> !all.contains(p)).forEach(all::add);
      throw new InvalidSettingsException(source, all);
    }
  }

  /** Adds everything that is wrong with a pipeline's properties. */
  static void check(Pipeline pipeline, Problems problems) {
    check(pipeline.kafka().properties(), problems);
  }

  private static void check(Map<String, String> properties, Problems problems) {
    Map<String, String> wrong = new TreeMap<>();
    for (ConfigDef known : KNOWN) {
      for (ConfigValue value : known.validate(new HashMap<>(properties))) {
        if (properties.containsKey(value.name()) && !value.errorMessages().isEmpty()) {
          wrong.put(value.name(), reason(value.errorMessages().get(0)));
        }
      }
    }
    jaas(properties, wrong);
    wrong.forEach((key, allowed) -> problems.add(PATH + key, HIDDEN, allowed));
  }

  /** What Kafka says of a wrong value, from behind the place where it repeats it. */
  private static String reason(String message) {
    int colon = message.indexOf(": ", message.indexOf("for configuration "));
    return "what Kafka's clients take"
        + (message.contains("for configuration ") && colon > 0 ? message.substring(colon) : "");
  }

  private static void jaas(Map<String, String> properties, Map<String, String> wrong) {
    String key = SaslConfigs.SASL_JAAS_CONFIG;
    String jaas = properties.get(key);
    boolean elsewhere =
        properties.containsKey(AbstractConfig.CONFIG_PROVIDERS_CONFIG)
            && REFERENCE.matcher(Objects.toString(jaas)).matches();
    if (jaas == null || elsewhere) {
      return; // Kafka's clients read it where they start, which may not be here.
    }
    try {
      JaasContext.loadClientContext(Map.of(key, new Password(jaas)));
    } catch (RuntimeException e) {
      wrong.put(
          key,
          "one login module, for example: org.apache.kafka.common.security.plain.PlainLoginModule"
              + " required username=\"...\" password=\"...\";");
    }
  }
}
