package dev.freshet.benchmarks;

import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.RawFeatures;
import dev.freshet.core.labels.DroppedEvent;
import dev.freshet.core.labels.LabelJoin;
import dev.freshet.core.labels.LabeledExample;
import dev.freshet.core.labels.PendingImpression;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The join's own work on one impression of three tasks, from its arrival to its last label: what is
 * planned, when, and what is emitted; without Flink, state and timers. One in eight is clicked, as
 * a rule.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(3)
public class BenchmarkLabelJoin {

  private static final long SHOWN = 1_700_000_000_000L;

  @Param({"wait", "settled"})
  private String correction;

  private LabelJoin join;
  private int tasks;
  private Count emitted;
  private long nth;

  private static final class Count implements LabelJoin.Output {
    private long examples;

    @Override
    public void example(LabeledExample example) {
      examples++;
    }

    @Override
    public void dropped(DroppedEvent event) {
      throw new IllegalStateException("dropped: " + event);
    }
  }

  @Setup
  public void setUp() {
    Pipeline pipeline =
        PipelineFile.parse(
            """
            pipeline: bench
            tasks:
              - {name: click, kind: binary, window: 10s}
              - {name: purchase, kind: binary, window: 40s}
              - {name: revenue, kind: continuous, window: 50s}
            labels: {correction: %s}
            features:
              - {name: f, kind: categorical, dim: 16}
            models:
              - {name: main, kind: shared-bottom}
            """
                .formatted(correction),
            "benchmark");
    tasks = pipeline.tasks().size();
    join = new LabelJoin(pipeline.tasks(), pipeline.labels(), false);
    emitted = new Count();
  }

  @Benchmark
  public long impression() {
    long shown = SHOWN + nth++;
    PendingImpression pending = new PendingImpression(tasks);
    Impression impression =
        new Impression("i", shown, new RawFeatures(new String[1][0], new double[0]), null);
    join.onImpression(pending, impression, Long.MIN_VALUE, emitted);
    long next = join.nextMoment(pending);
    if (nth % 8 == 0) {
      join.onFeedback(pending, new Feedback("i", "c", 0, shown + 5000, 1), shown, emitted);
      next = join.nextMoment(pending);
    }
    while (!pending.finished()) {
      next = join.onTimer(pending, next, emitted);
    }
    return emitted.examples;
  }
}
