package dev.freshet.replica.server;

import dev.freshet.core.events.FieldCounts;
import dev.freshet.core.events.FieldCounts.Kind;
import dev.freshet.replica.ModelReplica;
import dev.freshet.replica.RefusalReason;
import dev.freshet.replica.ReplicaListener;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.CounterWithCallback;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.Unit;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.List;
import java.util.function.DoubleSupplier;
import java.util.function.IntSupplier;

/** Metrics of the server, as Prometheus reads them. Names are part of the interface. */
final class ServerMetrics {

  static final String CONTENT_TYPE = PrometheusTextFormatWriter.CONTENT_TYPE;

  private static final double[] SECONDS = {
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1
  };

  private static final double[] SWAP_SECONDS = {
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60
  };

  private final PrometheusRegistry registry = new PrometheusRegistry();
  private final PrometheusTextFormatWriter writer = PrometheusTextFormatWriter.create();
  private final Counter requests =
      Counter.builder()
          .name("freshet_requests_total")
          .help("Requests by path and status.")
          .labelNames("path", "status")
          .register(registry);
  private final Counter closed =
      Counter.builder()
          .name("freshet_connections_closed_total")
          .help("Connections that were closed before their request was answered, by reason.")
          .labelNames("reason")
          .register(registry);
  private final Histogram duration =
      Histogram.builder()
          .name("freshet_score_duration_seconds")
          .help("Time to answer a scoring request, without its transfer.")
          .unit(Unit.SECONDS)
          .classicOnly()
          .classicUpperBounds(SECONDS)
          .register(registry);

  private final Histogram swap =
      Histogram.builder()
          .name("freshet_version_swap_seconds")
          .help("Time from the last message of a version to the first prediction by it.")
          .unit(Unit.SECONDS)
          .classicOnly()
          .classicUpperBounds(SWAP_SECONDS)
          .register(registry);

  /**
   * @param received counts of fields when requests are read
   */
  ServerMetrics(ModelReplica replica, GateWatch gate, FieldCounts received) {
    counter("freshet_predictions_total", "Impressions scored.", replica::predictions);
    fields(received, replica.fieldCounts());
    counter("freshet_versions_taken_total", "Versions taken.", replica::swaps);
    replica.listen(
        new ReplicaListener() {
          @Override
          public void swapped(Duration took) {
            swap.observe(took.toNanos() / 1e9);
          }
        });
    seconds(
        "freshet_staleness_seconds",
        "Seconds since the version in use was published; NaN before the first.",
        replica::stalenessSeconds);
    seconds(
        "freshet_newest_event_age_seconds",
        "Seconds since the newest event that the version in use has learnt from was produced.",
        replica::newestEventAgeSeconds);
    seconds(
        "freshet_lag_seconds",
        "Seconds since everything on the topic was known to be read; NaN before the first time.",
        replica::lagSeconds);
    GaugeWithCallback.builder()
        .name("freshet_pinned")
        .help("1 while a version is held.")
        .callback(callback -> callback.call(replica.pinned().isPresent() ? 1 : 0))
        .register(registry);
    GaugeWithCallback.builder()
        .name("freshet_versions_held_back")
        .help("Versions that the job has held back since its newest one, as far as is known.")
        .callback(callback -> callback.call(gate.heldBack().map(HeldBack::versions).orElse(0L)))
        .register(registry);
    CounterWithCallback.builder()
        .name("freshet_versions_refused_total")
        .help("Versions that were not taken, by reason.")
        .labelNames("reason")
        .callback(
            callback -> {
              var refused = replica.refused();
              for (RefusalReason reason : RefusalReason.values()) {
                callback.call(refused.getOrDefault(reason, 0L), reason.label());
              }
            })
        .register(registry);
  }

  private void fields(FieldCounts received, FieldCounts scored) {
    CounterWithCallback.builder()
        .name("freshet_fields_total")
        .help("Impressions in which a feature field was not what a model can learn from.")
        .labelNames("field", "kind")
        .callback(
            callback -> {
              count(received, List.of(Kind.WRONG_TYPE, Kind.NUMBER_AS_TEXT), callback);
              count(scored, List.of(Kind.ABSENT, Kind.UNKNOWN, Kind.CLIPPED), callback);
            })
        .register(registry);
  }

  private static void count(
      FieldCounts counts, List<Kind> kinds, CounterWithCallback.Callback callback) {
    for (int field = 0; field < counts.fields().size(); field++) {
      for (Kind kind : kinds) {
        callback.call(counts.count(field, kind), counts.fields().get(field), kind.label());
      }
    }
  }

  private void seconds(String name, String help, DoubleSupplier now) {
    GaugeWithCallback.builder()
        .name(name)
        .help(help)
        .unit(Unit.SECONDS)
        .callback(callback -> callback.call(now.getAsDouble()))
        .register(registry);
  }

  private interface Count {
    long now();
  }

  private void counter(String name, String help, Count count) {
    CounterWithCallback.builder()
        .name(name)
        .help(help)
        .callback(callback -> callback.call(count.now()))
        .register(registry);
  }

  void answered(String path, int status) {
    requests.labelValues(path, Integer.toString(status)).inc();
  }

  /** A connection was closed that did not ask for it, or left before its answer. */
  void closed(String reason) {
    closed.labelValues(reason).inc();
  }

  /** How many connections there are. */
  void connections(IntSupplier open) {
    GaugeWithCallback.builder()
        .name("freshet_connections")
        .help("Open connections.")
        .callback(callback -> callback.call(open.getAsInt()))
        .register(registry);
  }

  void scored(long nanos) {
    duration.observe(nanos / 1e9);
  }

  void write(OutputStream out) throws IOException {
    writer.write(out, registry.scrape());
  }
}
