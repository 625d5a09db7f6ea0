package dev.freshet.local.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.DeploymentOptions;
import org.apache.flink.configuration.GlobalConfiguration;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.configuration.SecurityOptions;
import org.apache.flink.configuration.StateRecoveryOptions;

/** A Flink cluster that runs, by the address of its job manager's REST endpoint. */
public final class RemoteCluster {

  /** What a job takes from the configuration of who submits it; here, from the cluster's own. */
  private static final List<String> JOB_SETTINGS =
      List.of("execution.", "state.", "restart-strategy", "pipeline.", "parallelism.");

  private static final Duration PATIENCE = Duration.ofSeconds(10);
  private static final int UNAVAILABLE = 503;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final URI address;

  /**
   * @param url as {@code http://jobmanager:8081}, with the port
   * @throws IllegalArgumentException if it is no such address
   */
  public RemoteCluster(String url) {
    URI given = URI.create(url.contains("://") ? url : "http://" + url);
    boolean web = "http".equals(given.getScheme()) || "https".equals(given.getScheme());
    if (!web || given.getHost() == null || given.getPort() < 0) {
      throw new IllegalArgumentException("'" + url + "'; allowed: http://HOST:PORT");
    }
    address = given;
  }

  /** Where its web UI is. */
  public URI address() {
    return address;
  }

  /**
   * The cluster's own settings of jobs, and how to reach it. What is secret stays where it is.
   *
   * @throws IOException in one line, if no job manager answers there
   */
  public Configuration configuration() throws IOException {
    Configuration conf = new Configuration();
    for (JsonNode entry : get("/jobmanager/config")) {
      String key = entry.path("key").asText();
      if (JOB_SETTINGS.stream().anyMatch(key::startsWith)
          && !GlobalConfiguration.isSensitive(key)) {
        conf.setString(key, entry.path("value").asText());
      }
    }
    // Those of a job that the cluster was started for.
    conf.removeConfig(PipelineOptions.JARS);
    conf.removeConfig(PipelineOptions.CLASSPATHS);
    conf.removeConfig(StateRecoveryOptions.SAVEPOINT_PATH);
    conf.set(DeploymentOptions.TARGET, "remote");
    conf.set(DeploymentOptions.ATTACHED, false);
    conf.set(RestOptions.ADDRESS, address.getHost());
    conf.set(RestOptions.PORT, address.getPort());
    if (address.getPath() != null && !address.getPath().isEmpty()) {
      conf.set(RestOptions.PATH, address.getPath());
    }
    if ("https".equals(address.getScheme())) {
      conf.set(SecurityOptions.SSL_REST_ENABLED, true);
    }
    return conf;
  }

  /** Free slots, and how many there are. */
  public Slots slots() throws IOException {
    JsonNode overview = get("/overview");
    return new Slots(
        overview.path("slots-available").asInt(), overview.path("slots-total").asInt());
  }

  /**
   * @param available that nobody has
   * @param total of all task managers that are there now
   */
  public record Slots(int available, int total) {}

  private JsonNode get(String path) throws IOException {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(address.toString().replaceAll("/+$", "") + path))
            .timeout(PATIENCE)
            .build();
    HttpClient client = HttpClient.newBuilder().connectTimeout(PATIENCE).build();
    HttpResponse<String> answer;
    try {
      long end = System.nanoTime() + PATIENCE.toNanos();
      answer = client.send(request, HttpResponse.BodyHandlers.ofString());
      // A job manager that has just started is not yet known to lead.
      while (answer.statusCode() == UNAVAILABLE && System.nanoTime() < end) {
        TimeUnit.MILLISECONDS.sleep(200);
        answer = client.send(request, HttpResponse.BodyHandlers.ofString());
      }
    } catch (IOException e) {
      String why = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
      throw new IOException("no job manager at " + address + ": " + why, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
    if (answer.statusCode() != 200) {
      throw new IOException(
          "no job manager at " + address + ": " + path + " answers " + answer.statusCode());
    }
    try {
      return JSON.readTree(answer.body());
    } catch (IOException e) {
      throw new IOException("no job manager at " + address + ": " + path + " is no JSON", e);
    }
  }
}
