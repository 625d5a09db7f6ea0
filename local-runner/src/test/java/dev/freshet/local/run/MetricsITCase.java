package dev.freshet.local.run;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.job.metrics.JobMetric;
import dev.freshet.job.metrics.MetricLabel;
import dev.freshet.job.metrics.MetricStep;
import dev.freshet.job.metrics.TrainingMetrics;
import dev.freshet.local.commands.FreshetCommand;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a running job tells Prometheus is what {@code docs/metrics.md} says, all of it. */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class MetricsITCase {

  private static final long START = 1_767_225_600_000L;

  /** One of everything that has metrics of its own. */
  private static final String PIPELINE =
      """
      pipeline: told
      tasks:
        - {name: click, kind: binary, window: 2m, deadline: {at: ends}}
        - {name: spent, kind: continuous, after: click, window: 5m, aggregate: sum}
      labels: {holdout: 0.0}
      features:
        - {name: user, kind: categorical}
        - {name: tags, kind: categorical, many: true}
        - {name: taste, kind: cross, of: [user, tags]}
        - {name: clicks, kind: count, of: click, by: user, half-life: 10m}
      models:
        - {name: a-net, kind: shared-bottom, bottom: [8], tower: [8]}
      training: {scoring: {watch: {field: user}}}
      publishing: {gate: {require-labels: 0}}
      """;

  private static final Pattern SERIES = Pattern.compile("^(\\w+)\\{(.*)\\} \\S+$");
  private static final Pattern LABEL = Pattern.compile("(\\w+)=\"((?:[^\"\\\\]|\\\\.)*)\"");

  @TempDir private Path folder;
  private final HttpClient http = HttpClient.newHttpClient();

  @Test
  void aRunningJobTellsWhatIsOnTheMenu() throws Exception {
    Path log = Path.of(System.getProperty("freshet.log", "target/freshet.log"));
    long logged = Files.exists(log) ? Files.size(log) : 0;
    int port;
    try (ServerSocket socket = new ServerSocket(0)) {
      port = socket.getLocalPort();
    }
    List<String> impressions = new ArrayList<>();
    List<String> feedback = new ArrayList<>();
    for (int i = 0; i < 600; i++) {
      long time = START + i * 1000L;
      String event = "{\"impression_id\":\"i%d\",\"event_time\":%d,".formatted(i, time);
      impressions.add(
          event
              + "\"features\":{\"ends\":%d,\"user\":\"u%d\",\"tags\":[\"a\",\"b\"]}}"
                  .formatted(time + 60_000, i % 7));
      if (i % 3 == 0) {
        feedback.add(event + "\"event_id\":\"c\",\"kind\":\"click\"}");
        feedback.add(
            event + "\"event_id\":\"s\",\"kind\":\"spent\",\"value\":%d}".formatted(1 + i % 5));
      }
    }
    String[] arguments = {
      "replay",
      "--pipeline=" + Files.writeString(folder.resolve("p.yaml"), PIPELINE),
      "--impressions",
      Files.write(folder.resolve("impressions.jsonl"), impressions).toString(),
      "--feedback",
      Files.write(folder.resolve("feedback.jsonl"), feedback).toString(),
      "--examples-out=" + folder.resolve("examples.jsonl"),
      "--metrics-port=" + port
    };
    CompletableFuture<Integer> run =
        CompletableFuture.supplyAsync(() -> FreshetCommand.run(arguments));
    Map<String, Map<String, Set<String>>> told = new TreeMap<>();
    while (!run.isDone()) {
      scrape(port).lines().forEach(line -> add(told, line));
      TimeUnit.MILLISECONDS.sleep(50);
    }
    assertThat(run.get()).isZero();

    assertThat(told.keySet())
        .as("told, and documented in docs/metrics.md")
        .isEqualTo(
            JobMetric.all().stream()
                .flatMap(MetricsITCase::series)
                .collect(Collectors.toCollection(TreeSet::new)));
    for (JobMetric metric : JobMetric.all()) {
      Map<String, Set<String>> labels = told.get(metric.prometheusName());
      for (MetricLabel label : metric.labels()) {
        if (label.values().isEmpty()) {
          assertThat(labels).as(metric.metric()).containsKey(label.key());
        } else {
          assertThat(labels.get(label.key()))
              .as(metric + " by " + label.key())
              .containsExactlyInAnyOrderElementsOf(label.values());
        }
      }
      Set<String> keys = new HashSet<>(labels.keySet());
      metric.labels().forEach(label -> keys.remove(label.key()));
      if (metric.type() == JobMetric.Type.HISTOGRAM) {
        assertThat(keys.remove("quantile")).as(metric + ": by quantile").isTrue();
      }
      assertThat(keys).as(metric + ": labels of Flink's own").isSubsetOf(FLINKS);
    }
    assertThat(told.get(TrainingMetrics.STEPS.prometheusName()).get("model"))
        .containsExactly("a-net");
    assertThat(tail(log, logged)).as("metrics that Flink drops").doesNotContain("Name collision");
  }

  /** What Prometheus has of a metric: of a histogram the quantiles and how many there were. */
  private static Stream<String> series(JobMetric metric) {
    String name = metric.prometheusName();
    return metric.type() == JobMetric.Type.HISTOGRAM
        ? Stream.of(name, name + "_count")
        : Stream.of(name);
  }

  private static final Set<String> FLINKS =
      Set.of(
          "host",
          "job_id",
          "job_name",
          "operator_id",
          "operator_name",
          "subtask_index",
          "task_attempt_id",
          "task_attempt_num",
          "task_id",
          "task_name",
          "tm_id");

  /** Takes a line of ours: of an operator, and in one of the groups that the menu knows. */
  private static void add(Map<String, Map<String, Set<String>>> told, String line) {
    Matcher series = SERIES.matcher(line);
    if (!series.matches() || !ours(series.group(1))) {
      return;
    }
    var labels = told.computeIfAbsent(series.group(1), name -> new TreeMap<>());
    Matcher label = LABEL.matcher(series.group(2));
    while (label.find()) {
      labels.computeIfAbsent(label.group(1), key -> new TreeSet<>()).add(label.group(2));
    }
  }

  private static boolean ours(String name) {
    return Arrays.stream(MetricStep.values())
        .anyMatch(step -> name.startsWith(JobMetric.OPERATOR + step.prefix() + "_"));
  }

  /** What is told now; nothing before the job has begun and after it has ended. */
  private String scrape(int port) throws InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/metrics")).build();
    try {
      return http.send(request, HttpResponse.BodyHandlers.ofString()).body();
    } catch (IOException e) {
      return "";
    }
  }

  private static String tail(Path log, long from) throws IOException {
    try (var in = Files.newInputStream(log)) {
      in.skipNBytes(from);
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
