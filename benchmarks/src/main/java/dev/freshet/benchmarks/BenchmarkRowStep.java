package dev.freshet.benchmarks;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.training.rows.EmbeddingTable;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** One step on one row of 16 floats and two first-order weights, of a table of 100,000. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(3)
public class BenchmarkRowStep {

  private static final int ROWS = 100_000;
  private static final int BATCH = 4096;

  @Param({"adagrad", "adagrad-elementwise", "adam", "ftrl"})
  private String optimizer;

  private EmbeddingTable table;
  private int[] rows;
  private float[] gradient;

  @Setup
  public void setUp() {
    Pipeline pipeline =
        PipelineFile.parse(
            """
            pipeline: bench
            tasks:
              - {name: click, kind: binary, window: 1m}
              - {name: purchase, kind: binary, window: 1m}
            features:
              - {name: f, kind: categorical, dim: 16, admit-after: 1}
            models:
              - {name: main, kind: shared-bottom}
            training: {embeddings: {optimizer: %s}}
            """
                .formatted(optimizer),
            "benchmark");
    table =
        EmbeddingTable.of(
                pipeline.context(pipeline.model("main")), pipeline.training().embeddings())
            .get(0);
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 1; i <= ROWS; i++) {
      table.sight(i * 0x9E3779B97F4A7C15L, 0, 0);
    }
    rows = random.ints(BATCH, 1, ROWS).toArray();
    gradient = new float[BATCH * table.width()];
    for (int i = 0; i < gradient.length; i++) {
      gradient[i] = (float) random.nextDouble(-1e-4, 1e-4);
    }
  }

  @Benchmark
  @OperationsPerInvocation(BATCH)
  public int step() {
    float[] pace = {1, 1};
    for (int i = 0; i < BATCH; i++) {
      table.update(rows[i], gradient, i * table.width(), 1024, pace);
    }
    return table.size();
  }
}
