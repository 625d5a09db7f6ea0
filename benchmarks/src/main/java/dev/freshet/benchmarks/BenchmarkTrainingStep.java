package dev.freshet.benchmarks;

import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.labels.LabelKind;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.training.ModelTrainer;
import dev.freshet.training.rows.EmbeddingTable;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
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
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * One round of predict, score and learn on 1024 examples of eight fields, against tables of 10^4,
 * 10^6 and 10^7 rows. The design says that the size of the table must not matter; the row at 10^4
 * is the floor that the others are read against.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 3)
@Measurement(iterations = 5, time = 3)
@Fork(
    value = 1,
    jvmArgsAppend = {
      "-Xms6g",
      "-Xmx6g",
      "-XX:+UseParallelGC",
      "-Dai.djl.offline=true",
      "-Dai.djl.pytorch.num_threads=1"
    })
public class BenchmarkTrainingStep {

  private static final int BATCH = 1024;
  private static final int FIELDS = 8;
  private static final int BATCHES = 64;

  @Param({"10000", "1000000", "10000000"})
  private int rows;

  @Param({"htlnet", "shared-bottom"})
  private String model;

  private ModelTrainer trainer;
  private List<List<EncodedExample>> batches;
  private int next;

  @Setup
  public void setUp() {
    StringBuilder file = new StringBuilder("pipeline: bench\ntasks:\n");
    file.append("  - {name: click, kind: binary, window: 1m}\n");
    file.append("  - {name: purchase, kind: binary, window: 1m}\n");
    file.append("  - {name: revenue, kind: continuous, window: 1m}\n");
    file.append(Fields.features(FIELDS));
    file.append("models:\n  - {name: main, kind: ").append(model).append("}\n");
    Pipeline pipeline = PipelineFile.parse(file.toString(), "benchmark");
    trainer = new ModelTrainer(pipeline.context(pipeline.model("main")), pipeline.training());
    EmbeddingTable table = trainer.learner().tables().get(0);
    for (int i = 1; i <= rows; i++) {
      table.sight(key(i), i % FIELDS, 0);
    }
    SplittableRandom random = new SplittableRandom(1);
    batches = new ArrayList<>();
    for (int i = 0; i < BATCHES; i++) {
      List<EncodedExample> batch = new ArrayList<>();
      for (int j = 0; j < BATCH; j++) {
        batch.add(example(random));
      }
      batches.add(batch);
    }
  }

  private static long key(long i) {
    return i * 0x9E3779B97F4A7C15L;
  }

  /** Keys as skewed as in practice: a third of all lookups goes to one row in thirty. */
  private EncodedExample example(SplittableRandom random) {
    long[] keys = new long[FIELDS];
    int[] starts = new int[FIELDS + 1];
    for (int i = 0; i < FIELDS; i++) {
      keys[i] = key(1 + (long) ((rows - 1) * Math.pow(random.nextDouble(), 3)));
      starts[i + 1] = i + 1;
    }
    boolean click = random.nextDouble() < 0.2;
    TaskLabel[] labels = {label(click ? 1 : 0), label(click ? 1 : 0), label(click ? 3 : 0)};
    return new EncodedExample(random.nextLong(), 0, false, keys, starts, labels, new float[0]);
  }

  private static TaskLabel label(double value) {
    return new TaskLabel(LabelKind.FINAL, value, 1, 0, -1, true);
  }

  @Benchmark
  public long step() {
    trainer.process(batches.get(next++ % BATCHES));
    return trainer.steps();
  }

  @TearDown
  public void tearDown() {
    trainer.close();
  }
}
