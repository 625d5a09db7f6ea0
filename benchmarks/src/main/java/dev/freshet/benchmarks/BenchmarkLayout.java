package dev.freshet.benchmarks;

import dev.freshet.core.events.EventJson;
import dev.freshet.core.events.mapping.MessageReader;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * One impression of twelve fields from its message: as events.md says, and through a layout in
 * which every piece is elsewhere. The floor is the same message read as JSON and no more.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(3)
public class BenchmarkLayout {

  private static final int FIELDS = 12;

  private MessageReader plain;
  private MessageReader mapped;
  private byte[] plainMessage;
  private byte[] mappedMessage;

  @Setup
  public void setUp() {
    StringBuilder features = new StringBuilder("features:\n");
    StringBuilder fields = new StringBuilder();
    StringBuilder here = new StringBuilder();
    StringBuilder there = new StringBuilder();
    for (int i = 0; i < FIELDS; i++) {
      features.append("  - {name: f%d, kind: categorical}%n".formatted(i));
      fields.append("%sf%d: .context.g%d.id".formatted(i == 0 ? "" : ", ", i, i));
      here.append("%s\"f%d\":\"value-%d\"".formatted(i == 0 ? "" : ",", i, i));
      there.append("%s\"g%d\":{\"id\":\"value-%d\"}".formatted(i == 0 ? "" : ",", i, i));
    }
    String rest =
        """
        pipeline: bench
        tasks: [{name: click, kind: binary, window: 1m}]
        models: [{name: main, kind: shared-bottom}]
        """
            + features;
    plain = reader(rest);
    mapped =
        reader(
            rest
                + """
                events:
                  impressions:
                    when: .type == "view"
                    impression-id: .page.id
                    event-time: .at
                    time-unit: seconds
                    fields: {%s}
                """
                    .formatted(fields));
    plainMessage =
        "{\"impression_id\":\"i1\",\"event_time\":1767225600000,\"features\":{%s}}"
            .formatted(here)
            .getBytes(StandardCharsets.UTF_8);
    mappedMessage =
        "{\"type\":\"view\",\"page\":{\"id\":\"i1\"},\"at\":1767225600,\"context\":{%s}}"
            .formatted(there)
            .getBytes(StandardCharsets.UTF_8);
  }

  private static MessageReader reader(String file) {
    Pipeline pipeline = PipelineFile.parse(file, "benchmark");
    return pipeline.messages();
  }

  @Benchmark
  public Object plain() {
    return plain.impressions(plainMessage);
  }

  @Benchmark
  public Object plainFloor() throws IOException {
    return EventJson.read(plainMessage);
  }

  @Benchmark
  public Object mapped() {
    return mapped.impressions(mappedMessage);
  }

  @Benchmark
  public Object mappedFloor() throws IOException {
    return EventJson.read(mappedMessage);
  }
}
