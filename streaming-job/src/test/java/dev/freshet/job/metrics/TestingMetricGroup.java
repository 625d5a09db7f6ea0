package dev.freshet.job.metrics;

import java.util.Map;
import java.util.TreeMap;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.SimpleCounter;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;

/** Keeps every metric under its full name, as the web UI shows it. */
public final class TestingMetricGroup extends UnregisteredMetricsGroup {

  private final String prefix;
  private final Map<String, Counter> counters;
  private final Map<String, Gauge<?>> gauges;

  public TestingMetricGroup() {
    this("", new TreeMap<>(), new TreeMap<>());
  }

  private TestingMetricGroup(
      String prefix, Map<String, Counter> counters, Map<String, Gauge<?>> gauges) {
    this.prefix = prefix;
    this.counters = counters;
    this.gauges = gauges;
  }

  public Map<String, Counter> counters() {
    return counters;
  }

  public Map<String, Gauge<?>> gauges() {
    return gauges;
  }

  @Override
  public MetricGroup addGroup(String name) {
    return new TestingMetricGroup(prefix + name + ".", counters, gauges);
  }

  @Override
  public MetricGroup addGroup(String key, String value) {
    return addGroup(key).addGroup(value);
  }

  @Override
  public <T, G extends Gauge<T>> G gauge(String name, G gauge) {
    gauges.put(prefix + name, gauge);
    return gauge;
  }

  @Override
  public Counter counter(String name) {
    return counters.computeIfAbsent(prefix + name, key -> new SimpleCounter());
  }
}
