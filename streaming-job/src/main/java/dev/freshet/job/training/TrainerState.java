package dev.freshet.job.training;

import dev.freshet.core.network.ModelContext;
import dev.freshet.training.TrainedShape;
import java.time.Clock;
import java.util.Iterator;
import java.util.List;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.state.OperatorStateStore;
import org.apache.flink.api.common.typeutils.base.LongSerializer;
import org.apache.flink.api.common.typeutils.base.StringSerializer;
import org.apache.flink.runtime.execution.SuppressRestartsException;

/** The state of a trainer that lies beside its snapshot: its shape, and the last version. */
final class TrainerState {

  /** The shape that the snapshot is of; one text of {@link TrainedShape}. */
  static final ListStateDescriptor<String> SHAPE =
      new ListStateDescriptor<>("shape", StringSerializer.INSTANCE);

  private static final ListStateDescriptor<Long> PUBLISHED_AT =
      new ListStateDescriptor<>("published-at", LongSerializer.INSTANCE);

  private static final ListStateDescriptor<Long> PUBLISHED_STEP =
      new ListStateDescriptor<>("published-step", LongSerializer.INSTANCE);

  private final ModelContext context;
  private final ListState<String> shape;
  private final ListState<Long> publishedAt;
  private final ListState<Long> publishedStep;

  TrainerState(OperatorStateStore store, ModelContext context) throws Exception {
    this.context = context;
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

  void update(LastPublished last) throws Exception {
    shape.update(List.of(TrainedShape.of(context)));
    publishedAt.update(List.of(last.at()));
    publishedStep.update(List.of(last.step()));
  }
}
