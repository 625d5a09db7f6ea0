package dev.freshet.job.training;

import static java.util.Objects.requireNonNull;

import dev.freshet.core.network.ModelContext;
import dev.freshet.training.ModelTrainer;
import dev.freshet.training.TrainedShape;
import dev.freshet.training.rows.RowLog;
import java.io.IOException;
import java.time.Clock;
import java.util.Iterator;
import java.util.List;
import java.util.function.LongConsumer;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.state.OperatorStateStore;
import org.apache.flink.api.common.typeutils.base.LongSerializer;
import org.apache.flink.api.common.typeutils.base.StringSerializer;
import org.apache.flink.api.common.typeutils.base.array.BytePrimitiveArraySerializer;
import org.apache.flink.runtime.execution.SuppressRestartsException;
import org.apache.flink.runtime.state.StateInitializationContext;
import org.jspecify.annotations.Nullable;

/** The state of a trainer beside its snapshot: its shape, the last version, and its rows. */
final class TrainerState {

  /** The shape that the snapshot is of; one text of {@link TrainedShape}. */
  static final ListStateDescriptor<String> SHAPE =
      new ListStateDescriptor<>("shape", StringSerializer.INSTANCE);

  private static final ListStateDescriptor<Long> PUBLISHED_AT =
      new ListStateDescriptor<>("published-at", LongSerializer.INSTANCE);

  private static final ListStateDescriptor<Long> PUBLISHED_STEP =
      new ListStateDescriptor<>("published-step", LongSerializer.INSTANCE);

  /** One, as {@link RowLog#position} tells; none in checkpoints whose snapshot has the rows. */
  private static final ListStateDescriptor<byte[]> ROWS =
      new ListStateDescriptor<>("rows", BytePrimitiveArraySerializer.INSTANCE);

  private final ModelContext context;
  private final ListState<String> shape;
  private final ListState<Long> publishedAt;
  private final ListState<Long> publishedStep;
  private final ListState<byte[]> position;
  private final RowState chunks;
  private @Nullable RowLog rows;

  /**
   * @param key sets the current key
   */
  TrainerState(StateInitializationContext state, LongConsumer key, ModelContext context)
      throws Exception {
    this.context = context;
    OperatorStateStore store = state.getOperatorStateStore();
    position = store.getListState(ROWS);
    chunks = new RowState(state.getKeyedStateStore(), key);
    shape = store.getListState(SHAPE);
    publishedAt = store.getListState(PUBLISHED_AT);
    publishedStep = store.getListState(PUBLISHED_STEP);
  }

  /**
   * Checks the shape that is restored.
   *
   * @throws SuppressRestartsException if it is another one: it will not fit at the next attempt
   *     either
   */
  void requireShape() throws Exception {
    for (String before : shape.get()) {
      List<String> different = TrainedShape.changes(before, TrainedShape.of(context));
      if (!different.isEmpty()) {
        throw new SuppressRestartsException(
            new IllegalStateException(
                "the checkpoint of model '"
                    + context.model().name()
                    + "' was learnt with other "
                    + String.join("; ", different)
                    + ": give the model a new name to start it afresh, or set back what was"
                    + " changed"));
      }
    }
  }

  /** The version that was published last, if one was. */
  LastPublished last(Clock clock) throws Exception {
    Iterator<Long> at = publishedAt.get().iterator();
    Iterator<Long> step = publishedStep.get().iterator();
    return at.hasNext() && step.hasNext() // not in checkpoints of before they were kept
        ? new LastPublished(at.next(), step.next())
        : LastPublished.none(clock);
  }

  /**
   * Keeps a trainer's rows from here on, and reads them, if they were not in the snapshot that it
   * has just read.
   */
  void keepRows(ModelTrainer trainer) throws Exception {
    RowLog log = trainer.rowLog();
    if (log.awaited()) {
      Iterator<byte[]> saved = position.get().iterator();
      if (!saved.hasNext()) {
        throw new IOException("the rows of model " + context.model().name() + " are missing");
      }
      log.restore(saved.next(), chunks);
    }
    rows = log;
  }

  /** Saves the rows that changed since the last time, and where they lie. */
  void saveRows() throws Exception {
    RowLog log = requireNonNull(rows, "keepRows comes first");
    log.save(chunks);
    position.update(List.of(log.position()));
  }

  void update(LastPublished last) throws Exception {
    shape.update(List.of(TrainedShape.of(context)));
    publishedAt.update(List.of(last.at()));
    publishedStep.update(List.of(last.step()));
  }
}
