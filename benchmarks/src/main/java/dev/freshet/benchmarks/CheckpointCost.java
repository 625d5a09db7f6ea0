package dev.freshet.benchmarks;

import dev.freshet.core.events.Impression;
import dev.freshet.core.events.RawFeatures;
import dev.freshet.core.events.SourcePosition;
import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.features.ExampleEncoder;
import dev.freshet.core.labels.LabelKind;
import dev.freshet.core.labels.LabeledExample;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.core.snapshot.ModelRecord;
import dev.freshet.job.codec.CodecTypeInfo;
import dev.freshet.job.training.TrainOperator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.core.fs.FileSystem;
import org.apache.flink.runtime.checkpoint.CheckpointOptions;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.state.CheckpointStorageLocationReference;
import org.apache.flink.runtime.state.KeyedStateHandle;
import org.apache.flink.runtime.state.SharedStateRegistry;
import org.apache.flink.runtime.state.SharedStateRegistryImpl;
import org.apache.flink.runtime.state.filesystem.FsCheckpointStorageLocation;
import org.apache.flink.state.rocksdb.EmbeddedRocksDBStateBackend;
import org.apache.flink.streaming.api.operators.OperatorSnapshotFinalizer;
import org.apache.flink.streaming.api.operators.OperatorSnapshotFutures;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.tasks.StreamTaskActionExecutor;
import org.apache.flink.streaming.runtime.tasks.mailbox.MailboxExecutorImpl;
import org.apache.flink.streaming.util.KeyedTwoInputStreamOperatorTestHarness;

/**
 * What a trainer's checkpoints cost on RocksDB with incremental ones: the first, with all rows;
 * some after 20,000 rows have changed; one after nothing has; and how long it takes to go on from
 * the last. The operator is the job's, in Flink's harness; the rows are learnt, 24 fields of 16
 * floats.
 *
 * <p>{@code java -Xmx6g ... dev.freshet.benchmarks.CheckpointCost [rows] [checkpoints] [folder]}
 */
public final class CheckpointCost {

  private static final int FIELDS = 24;
  private static final int BATCH = 1024;
  private static final int CHANGED = 20_000;

  /** Each field has another value. */
  private static final int ANY = -1;

  private final Pipeline pipeline = pipeline();
  private final ExampleEncoder encoder = new ExampleEncoder(pipeline.schema());
  private final SplittableRandom random = new SplittableRandom(1);
  private final int values;
  private final Path folder;
  private final FsCheckpointStorageLocation storage;
  private final SharedStateRegistry shared = new SharedStateRegistryImpl();
  private long checkpoint;

  private CheckpointCost(int rows, Path folder) throws IOException {
    values = rows / FIELDS;
    this.folder = folder;
    var path = new org.apache.flink.core.fs.Path(folder.resolve("checkpoints").toUri());
    storage =
        new FsCheckpointStorageLocation(
            FileSystem.getLocalFileSystem(),
            path,
            path,
            path,
            CheckpointStorageLocationReference.getDefault(),
            20 << 10,
            4096);
  }

  private static Pipeline pipeline() {
    StringBuilder file = new StringBuilder("pipeline: cost\ntasks:\n");
    file.append("  - {name: click, kind: binary, window: 1m}\n");
    file.append(Fields.features(FIELDS));
    file.append("models: [{name: main, kind: shared-bottom}]\n");
    file.append("training: {batch: %d}%npublishing: {every: 9999 checkpoints}%n".formatted(BATCH));
    return PipelineFile.parse(file.toString(), "cost");
  }

  public static void main(String[] args) throws Exception {
    int rows = args.length > 0 ? Integer.parseInt(args[0]) : 1_000_000;
    int checkpoints = args.length > 1 ? Integer.parseInt(args[1]) : 10;
    Path folder = args.length > 2 ? Path.of(args[2]) : Files.createTempDirectory("checkpoints");
    new CheckpointCost(rows, folder).run(checkpoints);
  }

  private void run(int checkpoints) throws Exception {
    System.out.printf("%,d rows, %,d changed between checkpoints%n", values * FIELDS, CHANGED);
    System.out.println("checkpoint       synchronous ms  all of it ms  written kB   it holds kB");
    OperatorSubtaskState last;
    try (Trainer trainer = new Trainer(null, folder)) {
      for (int value = 0; value < values; value++) {
        trainer.learn(value);
      }
      // New rows are copies of one. Rows that met others are not alike, nor well compressed.
      for (int i = 0; i < 2 * values; i++) {
        trainer.learn(ANY);
      }
      trainer.flush();
      write(trainer, "whole");
      for (int i = 0; i < checkpoints; i++) {
        for (int j = 0; j < CHANGED / FIELDS; j++) {
          trainer.learn(ANY);
        }
        trainer.flush();
        write(trainer, "changed");
      }
      last = write(trainer, "idle");
    }
    long start = System.nanoTime();
    new Trainer(last, folder).close();
    System.out.printf("restored in %,d ms%n", millis(start));
  }

  private OperatorSubtaskState write(Trainer trainer, String what) throws Exception {
    long id = ++checkpoint;
    trainer.prepareSnapshotPreBarrier(id);
    long start = System.nanoTime();
    OperatorSnapshotFutures futures =
        trainer
            .getOperator()
            .snapshotState(id, id, CheckpointOptions.forCheckpointWithDefaultLocation(), storage);
    long synchronous = millis(start);
    OperatorSubtaskState state =
        OperatorSnapshotFinalizer.create(futures).getJobManagerOwnedState();
    long all = millis(start);
    long written = state.getStateSize();
    for (KeyedStateHandle handle : state.getManagedKeyedState()) {
      written += handle.getCheckpointedSize() - handle.getStateSize();
    }
    // As the coordinator does: files that an earlier checkpoint sent are found again.
    state.registerSharedStates(shared, id);
    trainer.notifyOfCompletedCheckpoint(id);
    System.out.printf(
        "%-16s %14d %13d %,11d %,13d%n",
        what, synchronous, all, written >> 10, state.getStateSize() >> 10);
    return state;
  }

  private static long millis(long start) {
    return (System.nanoTime() - start) / 1_000_000;
  }

  /**
   * @param value of all fields, or {@link #ANY}
   */
  private EncodedExample example(int value) {
    String[][] categories = new String[FIELDS][];
    for (int i = 0; i < FIELDS; i++) {
      categories[i] = new String[] {"v" + (value == ANY ? random.nextInt(values) : value)};
    }
    TaskLabel[] labels = {new TaskLabel(LabelKind.FINAL, random.nextInt(2), 1, 0, -1, true)};
    RawFeatures features = new RawFeatures(categories, new double[0]);
    return encoder.encode(new LabeledExample(new Impression("x", 0, features, null), 0, labels));
  }

  private final class Trainer
      extends KeyedTwoInputStreamOperatorTestHarness<
          Long, EncodedExample, SourcePosition, ModelRecord> {

    Trainer(OperatorSubtaskState from, Path folder) throws Exception {
      super(
          new TrainOperator(pipeline, pipeline.model("main")),
          new TrainOperator.OneKey<>(),
          new TrainOperator.OneKey<>(),
          Types.LONG);
      ((TrainOperator) getOperator())
          .setMailboxExecutor(
              new MailboxExecutorImpl(getTaskMailbox(), 0, StreamTaskActionExecutor.IMMEDIATE));
      EmbeddedRocksDBStateBackend backend = new EmbeddedRocksDBStateBackend(true);
      backend.setDbStoragePath(folder.resolve("rocksdb").toString());
      setStateBackend(backend);
      setup(CodecTypeInfo.MODEL_RECORD.createSerializer(null));
      if (from != null) {
        initializeState(from);
      }
      open();
    }

    void learn(int value) throws Exception {
      processElement1(new StreamRecord<>(example(value)));
    }

    /** Learns what has come, a batch or less. */
    void flush() throws Exception {
      setProcessingTime(getProcessingTime() + 60_000);
    }
  }
}
