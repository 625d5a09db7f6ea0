package dev.freshet.job.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.features.TestingExamples;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.core.snapshot.ModelRecord;
import dev.freshet.core.snapshot.SnapshotAssembler;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.checkpoint.StateObjectCollection;
import org.apache.flink.runtime.state.KeyedStateHandle;
import org.apache.flink.runtime.state.SharedStateRegistry;
import org.apache.flink.runtime.state.SharedStateRegistryImpl;
import org.apache.flink.runtime.state.StateBackend;
import org.apache.flink.runtime.state.hashmap.HashMapStateBackend;
import org.apache.flink.runtime.state.storage.FileSystemCheckpointStorage;
import org.apache.flink.state.rocksdb.EmbeddedRocksDBStateBackend;
import org.apache.flink.streaming.util.OperatorSnapshotUtil;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A trainer's rows in keyed state. */
class TrainerRowsTest {

  private static final String FOLDER = "src/test/resources/savepoints/";
  private static final String INSIDE = FOLDER + "training-rows-inside.state";
  private static final String KEYED = FOLDER + "training-rows-keyed.state";

  /** The place of the field in the schema: smaller rows come first. */
  private static final int USER = 2;

  private final Pipeline pipeline = TestingPipelines.shop();
  private final SharedStateRegistry shared = new SharedStateRegistryImpl();

  @TempDir private Path folder;

  private StateBackend backend(String name) {
    return name.equals("heap")
        ? new HashMapStateBackend()
        : new EmbeddedRocksDBStateBackend(name.equals("rocksdb-incremental"));
  }

  private TestingTrainHarness harness(String backend, OperatorSubtaskState state) throws Exception {
    return TestingTrainHarness.open(
        pipeline,
        state,
        backend(backend),
        new FileSystemCheckpointStorage(folder.resolve("checkpoints").toUri()));
  }

  /** Users by the thousands, each a row. */
  private List<EncodedExample> examples(int count) {
    List<EncodedExample> examples = TestingExamples.settled(pipeline, count, 3);
    SplittableRandom random = new SplittableRandom(1);
    examples.forEach(e -> e.keys()[e.starts()[USER]] = 1 + random.nextInt(30_000) * 0x10001L);
    return examples;
  }

  /** Of many checkpoints, one of them aborted: what that one wrote is part of the next. */
  @ParameterizedTest
  @ValueSource(strings = {"heap", "rocksdb", "rocksdb-incremental"})
  void aRestoredTrainerIsTheOneThatNeverStopped(String backend) throws Exception {
    List<EncodedExample> examples = examples(64 * 300);
    SnapshotAssembler.Snapshot straight;
    try (var harness = harness(backend, null)) {
      harness.feed(examples);
      straight = publish(harness, 1);
    }
    OperatorSubtaskState state;
    try (var harness = harness(backend, null)) {
      harness.feed(examples.subList(0, 64 * 200));
      long whole = written(checkpoint(harness, 1));
      harness.notifyOfCompletedCheckpoint(1);
      harness.feed(examples.subList(64 * 200, 64 * 204));
      checkpoint(harness, 2);
      harness.getOperator().notifyCheckpointAborted(2);
      harness.feed(examples.subList(64 * 204, 64 * 208 + 10));
      state = checkpoint(harness, 3);
      harness.notifyOfCompletedCheckpoint(3);
      if (backend.equals("rocksdb-incremental")) {
        assertThat(written(state)).as("of two checkpoints").isLessThan(whole);
        long idle = written(checkpoint(harness, 4));
        assertThat(idle).as("bytes of nothing").isLessThan(64 << 10);
      }
    }
    try (var harness = harness(backend, state)) {
      harness.feed(examples.subList(64 * 208 + 10, 64 * 250));
      state = checkpoint(harness, 5);
    }
    try (var harness = harness(backend, state)) {
      harness.feed(examples.subList(64 * 250, examples.size()));
      assertThat(publish(harness, 6).payload()).isEqualTo(straight.payload());
    }
  }

  /**
   * Checkpoints of before had the rows beside all the rest, as the one that was written then: the
   * first one after that moves them.
   */
  @Test
  void rowsThatWereInTheSnapshotMove() throws Exception {
    List<EncodedExample> examples = TestingExamples.settled(pipeline, 64 * 20, 3);
    OperatorSubtaskState before = OperatorSnapshotUtil.readStateHandle(INSIDE);
    assertThat(before.getManagedKeyedState()).isEmpty();
    SnapshotAssembler.Snapshot straight;
    try (var harness = harness("heap", before)) {
      harness.feed(examples.subList(640, examples.size()));
      straight = publish(harness, 1);
    }
    OperatorSubtaskState now;
    try (var harness = harness("rocksdb-incremental", before)) {
      harness.feed(examples.subList(640, 960));
      now = checkpoint(harness, 1);
    }
    assertThatThrownBy(() -> harness("rocksdb-incremental", withoutRows(now)))
        .hasStackTraceContaining("the state has no chunk");
    try (var harness = harness("rocksdb-incremental", now)) {
      harness.feed(examples.subList(960, examples.size()));
      assertThat(publish(harness, 2).payload()).isEqualTo(straight.payload());
    }
  }

  /** The trainer of before, with its rows in keyed state. To write it: golden.write. */
  @Test
  void goesOnFromTheFrozenRows() throws Exception {
    OperatorSubtaskState before = OperatorSnapshotUtil.readStateHandle(INSIDE);
    if (Boolean.getBoolean("golden.write")) {
      try (var harness = TestingTrainHarness.open(pipeline, before)) {
        OperatorSnapshotUtil.writeStateHandle(checkpoint(harness, 1), KEYED);
      }
    }
    List<EncodedExample> examples = TestingExamples.settled(pipeline, 64 * 20, 3);
    List<SnapshotAssembler.Snapshot> found = new ArrayList<>();
    for (String file : List.of(INSIDE, KEYED)) {
      try (var harness = harness("heap", OperatorSnapshotUtil.readStateHandle(file))) {
        found.add(publish(harness, 1));
        harness.getOutput().clear();
        harness.feed(examples.subList(640, examples.size()));
        found.add(publish(harness, 2));
      }
    }
    assertThat(found.get(2).payload()).isEqualTo(found.get(0).payload());
    assertThat(found.get(3).payload()).isEqualTo(found.get(1).payload());
  }

  @Test
  void missingRowsAreTold() throws Exception {
    OperatorSubtaskState state;
    try (var harness = harness("heap", null)) {
      harness.feed(examples(64));
      state = checkpoint(harness, 1);
    }
    assertThatThrownBy(() -> harness("heap", withoutRows(state)))
        .hasStackTraceContaining("the state has no chunk 0 of rows in generation 0");
  }

  private OperatorSubtaskState checkpoint(TestingTrainHarness harness, long id) throws Exception {
    harness.prepareSnapshotPreBarrier(id); // as the task does: waits for the step
    harness.getOutput().clear();
    OperatorSubtaskState state = harness.snapshot(id, id);
    // As the coordinator does: files that an earlier checkpoint sent are found again.
    state.registerSharedStates(shared, id);
    return state;
  }

  private static long written(OperatorSubtaskState state) {
    return state.getManagedKeyedState().stream()
        .mapToLong(KeyedStateHandle::getCheckpointedSize)
        .sum();
  }

  private static OperatorSubtaskState withoutRows(OperatorSubtaskState state) {
    return state.toBuilder().setManagedKeyedState(StateObjectCollection.empty()).build();
  }

  private static SnapshotAssembler.Snapshot publish(TestingTrainHarness harness, long id)
      throws Exception {
    harness.prepareSnapshotPreBarrier(id);
    List<ModelRecord> records = new ArrayList<>(harness.extractOutputValues());
    SnapshotAssembler assembler = new SnapshotAssembler();
    SnapshotAssembler.Snapshot last = null;
    for (ModelRecord record : records) {
      last = assembler.accept(record).orElse(last);
    }
    return last;
  }
}
