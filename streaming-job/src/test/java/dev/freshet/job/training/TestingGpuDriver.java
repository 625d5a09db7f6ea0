package dev.freshet.job.training;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.flink.api.common.externalresource.ExternalResourceDriver;
import org.apache.flink.api.common.externalresource.ExternalResourceDriverFactory;
import org.apache.flink.api.common.externalresource.ExternalResourceInfo;
import org.apache.flink.configuration.Configuration;

/**
 * Flink's driver for GPUs, which no repository has whole: a script is run with the amount, and
 * prints indices with commas between them.
 */
public final class TestingGpuDriver implements ExternalResourceDriverFactory {

  @Override
  public ExternalResourceDriver createExternalResourceDriver(Configuration conf) {
    String script = conf.getString("discovery-script.path", null);
    return amount ->
        Arrays.stream(run(script, amount).trim().split(","))
            .map(index -> new Gpu(index.trim()))
            .collect(Collectors.toSet());
  }

  private static String run(String script, long amount) throws IOException {
    Process process = new ProcessBuilder("sh", script, String.valueOf(amount)).start();
    return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
  }

  private record Gpu(String index) implements ExternalResourceInfo {
    @Override
    public Optional<String> getProperty(String key) {
      return key.equals("index") ? Optional.of(index) : Optional.empty();
    }

    @Override
    public Collection<String> getKeys() {
      return List.copyOf(Set.of("index"));
    }
  }
}
