package dev.freshet.local.cluster;

import java.io.File;
import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.ConfigurationUtils;
import org.apache.flink.configuration.CoreOptions;
import org.apache.flink.configuration.ExternalResourceOptions;
import org.apache.flink.configuration.FallbackKey;
import org.apache.flink.configuration.IllegalConfigurationException;
import org.apache.flink.configuration.MetricOptions;
import org.apache.flink.kubernetes.configuration.KubernetesConfigOptions;
import org.apache.flink.metrics.prometheus.PrometheusPushGatewayReporterOptions;
import org.apache.flink.runtime.clusterframework.TaskExecutorProcessUtils;
import org.apache.flink.runtime.jobmanager.JobManagerProcessUtils;
import org.apache.flink.state.rocksdb.RocksDBOptions;

/**
 * What Flink's own classes know of its configuration. Flink itself passes over a key that it does
 * not know, and a size that cannot be only stops a process when that starts.
 */
final class TestingFlinkOptions {

  private static final Pattern REPORTER = Pattern.compile("metrics\\.reporter\\.[\\w-]+\\.(.+)");
  private static final Set<String> OF_REPORTERS =
      new TreeSet<>(
          List.of("port", PrometheusPushGatewayReporterOptions.FILTER_LABEL_VALUE_CHARACTER.key()));
  private static final Pattern RESOURCE = Pattern.compile("external-resource\\.[\\w-]+\\.(.+)");

  /** Of the S3 plugin, which has them in a jar of 97 MB: those of Flink's documentation. */
  private static final List<String> STORAGE = List.of("s3.endpoint", "s3.path.style.access");

  private static final Map<String, ConfigOption<?>> KNOWN = known();

  private TestingFlinkOptions() {}

  private static Map<String, ConfigOption<?>> known() {
    Map<String, ConfigOption<?>> known = new TreeMap<>();
    for (Class<?> of :
        List.of(
            CoreOptions.class,
            JobManagerProcessUtils.class,
            RocksDBOptions.class,
            KubernetesConfigOptions.class,
            PrometheusPushGatewayReporterOptions.class)) {
      try (JarFile jar =
          new JarFile(new File(of.getProtectionDomain().getCodeSource().getLocation().getPath()))) {
        jar.stream()
            .map(entry -> entry.getName())
            .filter(name -> name.endsWith("Options.class") && !name.contains("/shaded/"))
            .forEach(name -> options(name.replace('/', '.').replace(".class", ""), known));
      } catch (IOException e) {
        throw new AssertionError(e);
      }
    }
    return known;
  }

  private static void options(String name, Map<String, ConfigOption<?>> known) {
    try {
      for (Field field : Class.forName(name).getDeclaredFields()) {
        if (Modifier.isStatic(field.getModifiers())
            && field.getType() == ConfigOption.class
            && field.trySetAccessible()) {
          ConfigOption<?> option = (ConfigOption<?>) field.get(null);
          // These are written behind the name of a reporter.
          if (name.equals(MetricOptions.class.getName()) && !option.key().startsWith("metrics.")) {
            OF_REPORTERS.add(option.key());
          } else {
            known.put(option.key(), option);
          }
        }
      }
    } catch (ReflectiveOperationException | LinkageError e) {
      // Needs what is not here: nothing of it is known then.
    }
  }

  static int size() {
    return KNOWN.size();
  }

  /** Everything that is wrong with it: keys, values, and sizes of either process. */
  static List<String> problems(Map<String, String> settings) {
    List<String> problems = keys(settings);
    Configuration conf = Configuration.fromMap(settings);
    try {
      JobManagerProcessUtils.processSpecFromConfig(conf);
    } catch (IllegalConfigurationException | IllegalArgumentException e) {
      problems.add("job manager: " + e.getMessage());
    }
    try {
      TaskExecutorProcessUtils.processSpecFromConfig(conf);
    } catch (IllegalConfigurationException | IllegalArgumentException e) {
      problems.add("task manager: " + e.getMessage());
    }
    return problems;
  }

  private static List<String> keys(Map<String, String> settings) {
    List<String> problems = new ArrayList<>();
    Map<String, String> old = new HashMap<>();
    KNOWN
        .values()
        .forEach(
            option -> {
              for (FallbackKey key : option.fallbackKeys()) {
                if (key.isDeprecated()) {
                  old.put(key.getKey(), option.key());
                }
              }
            });
    Configuration conf = Configuration.fromMap(settings);
    new LinkedHashMap<>(settings)
        .forEach(
            (key, value) -> {
              Optional<ConfigOption<?>> option = option(key);
              if (option.isPresent()) {
                try {
                  conf.getOptional(option.get());
                } catch (IllegalArgumentException e) {
                  problems.add(key + ": '" + value + "': " + e.getMessage());
                }
              } else if (old.containsKey(key)) {
                problems.add(key + ": is written " + old.get(key) + " now");
              } else if (!namedByUsers(key)) {
                problems.add(key + ": no option of Flink");
              }
            });
    return problems;
  }

  private static Optional<ConfigOption<?>> option(String key) {
    if (KNOWN.containsKey(key)) {
      return Optional.of(KNOWN.get(key));
    }
    return KNOWN.values().stream()
        .filter(
            option ->
                ConfigurationUtils.canBePrefixMap(option) && key.startsWith(option.key() + "."))
        .<ConfigOption<?>>map(option -> option)
        .findFirst();
  }

  /** Whether it is one of those that have a name of the user's own within. */
  private static boolean namedByUsers(String key) {
    Matcher reporter = REPORTER.matcher(key);
    if (reporter.matches()) {
      return OF_REPORTERS.contains(reporter.group(1));
    }
    Matcher resource = RESOURCE.matcher(key);
    if (resource.matches()) {
      String last = resource.group(1);
      return last.equals(ExternalResourceOptions.EXTERNAL_RESOURCE_AMOUNT_SUFFIX)
          || last.equals(ExternalResourceOptions.EXTERNAL_RESOURCE_DRIVER_FACTORY_SUFFIX)
          || last.equals("param.discovery-script.path")
          || last.equals("param.discovery-script.args");
    }
    return STORAGE.contains(key);
  }
}
