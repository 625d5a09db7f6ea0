package dev.freshet.topics;

import com.fasterxml.jackson.databind.JsonNode;
import dev.freshet.core.pipeline.KafkaSettings;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.core.settings.InvalidSettingsException;
import dev.freshet.core.settings.Nearest;
import dev.freshet.core.settings.Problems;
import dev.freshet.core.settings.Problems.Problem;
import dev.freshet.core.settings.Sensitive;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.security.auth.login.AppConfigurationEntry;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigValue;
import org.apache.kafka.common.config.SaslConfigs;
import org.apache.kafka.common.config.SslConfigs;
import org.apache.kafka.common.config.types.Password;
import org.apache.kafka.common.security.JaasContext;
import org.apache.kafka.common.security.JaasUtils;

/**
 * Checks {@code kafka.properties} with Kafka's own classes, and shows none of their values. Secrets
 * in the clear are refused unless the pipeline allows them: what is one says the type that Kafka
 * gives a setting; of settings that Kafka does not know their name, and of all the look.
 */
public final class ClientProperties {

  private static final String PATH = "kafka.properties.";
  private static final List<ConfigDef> KNOWN =
      List.of(
          ProducerConfig.configDef(), ConsumerConfig.configDef(), AdminClientConfig.configDef());

  private static final Pattern REFERENCE = Pattern.compile("\\$\\{([^}:]+):[^}]*}");

  private static final Pattern CERTIFICATES =
      Pattern.compile(
          "\\s*(-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\\s]+-----END CERTIFICATE-----\\s*)+");

  private static final List<String> FILES =
      List.of(SslConfigs.SSL_TRUSTSTORE_LOCATION_CONFIG, SslConfigs.SSL_KEYSTORE_LOCATION_CONFIG);

  private static final String REFERRING = "freshet.reference";

  private static final String EXAMPLES =
      "such as ${env:NAME}, ${file:PATH:KEY} or ${dir:FOLDER:FILE}";

  private static final String WHY =
      ": who can read the pipeline file reads what stands in it; kafka.plain-secrets: true allows it";

  /** Options of login modules that are no secrets; all else may be one. */
  private static final Pattern OPEN_OPTION =
      Pattern.compile(
          "user|username|principal|.*keytab|.*cache|(.*[._])?client[._]?id|scope|audience"
              + "|servicename|.*(ur[il]|location|path|file|type|alias)|extension_.*|unsecured.*"
              + "|aws(profilename|rolearn|rolesessionname|stsregion)",
          Pattern.CASE_INSENSITIVE);

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
    JsonNode kafka = tree.path("kafka");
    Map<String, String> properties = new HashMap<>();
    for (Map.Entry<String, JsonNode> e : kafka.path("properties").properties()) {
      if (e.getValue().isValueNode() && !e.getValue().isNull()) {
        properties.put(e.getKey(), e.getValue().asText());
      }
    }
    boolean plain = kafka.path("plain-secrets").asText().equals("true");
    check(KafkaSettings.withProviders(properties), plain, problems);
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

  /** Adds everything that is wrong with a pipeline's properties, wherever clients run. */
  static void check(Pipeline pipeline, Problems problems) {
    KafkaSettings kafka = pipeline.kafka();
    check(kafka.properties(), kafka.plainSecrets(), problems);
  }

  private static void check(Map<String, String> properties, boolean plain, Problems problems) {
    Map<String, String> wrong = new TreeMap<>();
    for (ConfigDef known : KNOWN) {
      for (ConfigValue value : known.validate(new HashMap<>(properties))) {
        if (properties.containsKey(value.name()) && !value.errorMessages().isEmpty()) {
          wrong.put(
              value.name(),
              reason(value.name(), properties.get(value.name()), value.errorMessages().get(0)));
        }
      }
    }
    misspelt(properties.keySet(), wrong);
    undeclared(properties, wrong);
    Optional<JaasContext> login = jaas(properties, wrong);
    if (!plain) {
      login.ifPresent(context -> options(context, wrong));
      properties.forEach((key, value) -> inTheClear(key, value, wrong));
    }
    wrong.forEach((key, allowed) -> problems.add(PATH + key, Sensitive.HIDDEN, allowed));
  }

  /** Kafka passes over what it does not know, for it may be a plug-in's. */
  private static void misspelt(Set<String> keys, Map<String, String> wrong) {
    Set<String> names =
        KNOWN.stream().flatMap(known -> known.names().stream()).collect(Collectors.toSet());
    for (String key : keys) {
      Nearest.misspelt(key, names)
          .ifPresent(meant -> wrong.put(key, "a name that Kafka's clients know, such as " + meant));
    }
  }

  /**
   * Kafka's words on a wrong value, from behind the place where it repeats it, and only if it does
   * not once more.
   */
  private static String reason(String key, String value, String message) {
    String before = "for configuration " + key + ": ";
    int at = message.lastIndexOf(before);
    String why = at < 0 ? "" : message.substring(at + before.length());
    boolean repeats = !value.isBlank() && why.contains(value.strip());
    return "what Kafka's clients take" + (why.isEmpty() || repeats ? "" : ": " + why);
  }

  private static void undeclared(Map<String, String> properties, Map<String, String> wrong) {
    String declared = properties.getOrDefault(AbstractConfig.CONFIG_PROVIDERS_CONFIG, "");
    Set<String> names =
        Arrays.stream(declared.split(",")).map(String::strip).collect(Collectors.toSet());
    properties.forEach(
        (key, value) -> {
          Matcher reference = REFERENCE.matcher(value);
          while (reference.find()) {
            if (!names.contains(reference.group(1))) {
              wrong.putIfAbsent(
                  key,
                  "a reference to a provider that config.providers names, or to env, file or dir");
            }
          }
        });
  }

  /** The login that the properties describe; empty if that is elsewhere, or wrong. */
  private static Optional<JaasContext> jaas(
      Map<String, String> properties, Map<String, String> wrong) {
    String key = SaslConfigs.SASL_JAAS_CONFIG;
    String jaas = properties.get(key);
    if (jaas == null
        || wrong.containsKey(key)
        || !jaas.isBlank() && Sensitive.withoutReferences(jaas).isBlank()) {
      return Optional.empty(); // Kafka's clients read it where they start, which may not be here.
    }
    try {
      return Optional.of(JaasContext.loadClientContext(Map.of(key, new Password(jaas))));
    } catch (RuntimeException e) {
      wrong.put(
          key,
          "one login module, for example: org.apache.kafka.common.security.plain.PlainLoginModule"
              + " required username=\"...\" password=\"${env:NAME}\";");
      return Optional.empty();
    }
  }

  private static void options(JaasContext login, Map<String, String> wrong) {
    for (AppConfigurationEntry module : login.configurationEntries()) {
      for (Map.Entry<String, ?> option : module.getOptions().entrySet()) {
        String value = Sensitive.withoutReferences(String.valueOf(option.getValue()));
        boolean open =
            OPEN_OPTION.matcher(option.getKey()).matches() && !Sensitive.name(option.getKey());
        if (!open && !value.isBlank() && !value.equals("true") && !value.equals("false")) {
          wrong.putIfAbsent(
              SaslConfigs.SASL_JAAS_CONFIG,
              "a reference as the value of " + option.getKey() + ", " + EXAMPLES + WHY);
        }
      }
    }
  }

  private static void inTheClear(String key, String value, Map<String, String> wrong) {
    String written = Sensitive.withoutReferences(value);
    boolean secret = Sensitive.looks(value);
    if (!key.equals(SaslConfigs.SASL_JAAS_CONFIG)) {
      Optional<ConfigDef.Type> type =
          KNOWN.stream()
              .map(known -> known.configKeys().get(key))
              .filter(Objects::nonNull)
              .map(ConfigDef.ConfigKey::type)
              .findFirst();
      boolean asked = type.map(ConfigDef.Type.PASSWORD::equals).orElse(Sensitive.name(key));
      secret |= asked && !written.isBlank() && !isCertificate(written);
    }
    if (secret) {
      wrong.putIfAbsent(key, "a reference, " + EXAMPLES + WHY);
    }
  }

  /** Certificates are passwords to Kafka, and to nobody else. */
  private static boolean isCertificate(String pem) {
    return CERTIFICATES.matcher(pem).matches();
  }

  /**
   * As {@link #resolve(Pipeline, Problems)} for who has nothing else to check.
   *
   * @throws InvalidSettingsException if there is nothing behind a reference
   */
  public static void resolve(Pipeline pipeline) {
    Problems problems = new Problems();
    resolve(pipeline, problems);
    problems.throwIfAny(pipeline.pipeline());
  }

  /**
   * Tells of references whether there is something behind them on this machine, where clients are
   * about to start: Kafka would take what it cannot resolve for the secret.
   */
  static void resolve(Pipeline pipeline, Problems problems) {
    Map<String, String> properties = pipeline.kafka().properties();
    Map<String, String> providers = new HashMap<>();
    properties.forEach(
        (key, value) -> {
          if (key.startsWith(AbstractConfig.CONFIG_PROVIDERS_CONFIG)) {
            providers.put(key, value);
          }
        });
    properties.forEach(
        (key, value) -> {
          Matcher reference = REFERENCE.matcher(value);
          while (reference.find()) {
            if (!resolves(reference.group(), providers)) {
              problems.add(
                  PATH + key,
                  Sensitive.HIDDEN,
                  "references that lead to something on this machine; "
                      + reference.group()
                      + " does not");
            }
          }
        });
    startable(properties, problems);
  }

  /**
   * Reports settings that Kafka's clients would refuse to start with, by the names of exceptions.
   */
  private static void startable(Map<String, String> properties, Problems problems) {
    String protocol =
        properties
            .getOrDefault(CommonClientConfigs.SECURITY_PROTOCOL_CONFIG, "")
            .toUpperCase(Locale.ROOT);
    if (protocol.startsWith("SASL_")
        && !properties.containsKey(SaslConfigs.SASL_JAAS_CONFIG)
        && System.getProperty(JaasUtils.JAVA_LOGIN_CONFIG_PARAM) == null) {
      problems.add(
          PATH + SaslConfigs.SASL_JAAS_CONFIG,
          null,
          "a login module, because security.protocol is " + protocol);
    }
    if (protocol.endsWith("SSL")) {
      for (String key : FILES) {
        String file = properties.get(key);
        if (file != null && !REFERENCE.matcher(file).find() && !Files.isReadable(Path.of(file))) {
          problems.add(PATH + key, Sensitive.HIDDEN, "a file that can be read on this machine");
        }
      }
    }
  }

  private static boolean resolves(String reference, Map<String, String> providers) {
    Map<String, String> one = new HashMap<>(providers);
    one.put(REFERRING, reference);
    try {
      Object found = new AbstractConfig(new ConfigDef(), one, false).originals().get(REFERRING);
      return !reference.equals(found) && !String.valueOf(found).isBlank();
    } catch (KafkaException e) {
      return false; // a file that is not there, or a provider that does not start
    }
  }
}
