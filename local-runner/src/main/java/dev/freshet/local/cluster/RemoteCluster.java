package dev.freshet.local.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.topics.HttpFailure;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.JobStatus;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.DeploymentOptions;
import org.apache.flink.configuration.GlobalConfiguration;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.configuration.SecurityOptions;
import org.apache.flink.configuration.StateRecoveryOptions;

/** A Flink cluster that runs, by the address of its job manager's REST endpoint. */
public final class RemoteCluster {

  /**
   * Settings that a job takes from the configuration of who submits it; here, from the cluster's
   * own.
   */
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
      throw new IllegalArgumentException(
          "'"
              + url
              + "'; allowed: HOST:PORT, http://HOST:PORT or https://HOST:PORT, with the port");
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

  /** The version of Flink that it runs, such as 2.3.0. */
  public String version() throws IOException {
    return get("/overview").path("flink-version").asText();
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

  /** The job of that name that has not ended, if there is one: its ID. */
  public Optional<String> running(String name) throws IOException {
    for (JsonNode job : get("/jobs/overview").path("jobs")) {
      if (name.equals(job.path("name").asText())
          && !JobStatus.valueOf(job.path("state").asText()).isGloballyTerminalState()) {
        return Optional.of(job.path("jid").asText());
      }
    }
    return Optional.empty();
  }

  /**
   * How far a job is. That Flink calls a job running says only that it may be: it does so while
   * tasks still wait for slots or restore their state.
   */
  public Progress progress(JobID job) throws IOException {
    JsonNode answer = get("/jobs/" + job);
    int running = 0;
    int steps = 0;
    for (JsonNode step : answer.path("vertices")) {
      steps++;
      // Of a step, Flink says that it runs when one of its tasks does.
      JsonNode tasks = step.path("tasks");
      if (tasks.path("RUNNING").asInt() + tasks.path("FINISHED").asInt()
          == step.path("parallelism").asInt()) {
        running++;
      }
    }
    return new Progress(JobStatus.valueOf(answer.path("state").asText()), running, steps);
  }

  /** The last cause of a job's newest failure, in a line, whether it was tried again or not. */
  public Optional<String> failure(JobID job) throws IOException {
    JsonNode newest = get("/jobs/" + job + "/exceptions").path("exceptionHistory").path("entries");
    String trace = newest.path(0).path("stacktrace").asText();
    return trace.isEmpty() ? Optional.empty() : Optional.of(lastCause(trace));
  }

  /** Message at the end of a stack trace, without the name of the exception. */
  public static String lastCause(String trace) {
    String[] causes = trace.split("Caused by: ");
    String last = causes[causes.length - 1].lines().findFirst().orElse("");
    String said = last.replaceFirst("^([\\w$]+\\.)+[\\w$]+: ", "");
    return said.isBlank() ? last : said;
  }

  /**
   * @param status Flink's
   * @param running steps all of whose tasks run, or have ended as they should
   * @param steps of the job
   */
  public record Progress(JobStatus status, int running, int steps) {

    /** True if there is nothing left to wait for. */
    public boolean isWhole() {
      return status == JobStatus.FINISHED
          || status == JobStatus.RUNNING && steps > 0 && running == steps;
    }
  }

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
      throw new IOException("no job manager at " + address + ": " + HttpFailure.why(e));
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
      throw new IOException("no job manager at " + address + ": " + path + " is no JSON");
    }
  }
}
