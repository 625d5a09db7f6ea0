package dev.freshet.job.training;

import static dev.freshet.job.training.TrainOperator.SHAPE;

import dev.freshet.core.codec.LayoutException;
import dev.freshet.core.models.ModelDefinition;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.settings.Problems;
import dev.freshet.job.counts.CountJoinFunction;
import dev.freshet.job.labels.LabelJoinFunction;
import dev.freshet.job.labels.WaitingLayout;
import dev.freshet.training.TrainedShape;
import java.io.DataInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.flink.api.common.ExecutionConfig;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.core.fs.CloseableRegistry;
import org.apache.flink.runtime.checkpoint.Checkpoints;
import org.apache.flink.runtime.checkpoint.OperatorState;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.checkpoint.metadata.CheckpointMetadata;
import org.apache.flink.runtime.jobgraph.SavepointRestoreSettings;
import org.apache.flink.runtime.state.DefaultOperatorStateBackendBuilder;
import org.apache.flink.runtime.state.OperatorStateBackend;
import org.apache.flink.runtime.state.OperatorStateHandle;
import org.apache.flink.runtime.state.filesystem.AbstractFsCheckpointStorageAccess;

/**
 * Holds the checkpoint or savepoint that a job shall start from against its pipeline, before the
 * job is submitted: what each model's trainer was laid out for, and whether it still is there; and
 * what tasks and fields the impressions that wait are laid out for.
 *
 * <p>What cannot be looked at is told and not refused; the trainers look again when they start.
 */
public final class CheckpointCheck {

  /** What the uids of trainers begin with; the model's name follows. */
  public static final String UID = "training-";

  private static final String KNOWN = "state that this Freshet reads";

  private final Pipeline pipeline;
  private final SavepointRestoreSettings from;
  private final Consumer<String> note;

  /**
   * @param from where the job starts from; nowhere is fine
   * @param note takes a line for people if something could not be looked at
   */
  public CheckpointCheck(Pipeline pipeline, SavepointRestoreSettings from, Consumer<String> note) {
    this.pipeline = pipeline;
    this.from = from;
    this.note = note;
  }

  /** Adds everything that does not fit. */
  public void run(Problems problems) {
    if (!from.restoreSavepoint()) {
      return;
    }
    CheckpointMetadata metadata;
    Map<String, OperatorState> trainers;
    try {
      metadata = metadata(from.getRestorePath());
      trainers = trainers(metadata);
    } catch (IOException | RuntimeException e) {
      note.accept(unseen("", e));
      return;
    }
    checkWaiting(metadata, LabelJoinFunction.UID, pipeline.schema().layout(), problems);
    checkWaiting(metadata, CountJoinFunction.UID, WaitingLayout.ANY_FIELDS, problems);
    trainers.forEach((model, state) -> check(model, state, problems));
  }

  /** The impressions that wait in the step of this uid. */
  private void checkWaiting(
      CheckpointMetadata metadata, String uid, String fields, Problems problems) {
    WaitingLayout layout = new WaitingLayout(pipeline.tasks(), fields);
    for (OperatorState join : metadata.getOperatorStates()) {
      if (join.getOperatorUid().filter(uid::equals).isEmpty() || !has(join, WaitingLayout.STATE)) {
        continue;
      }
      try {
        layout
            .unfit(read(join, store -> store.getUnionListState(WaitingLayout.STATE)))
            .ifPresent(
                why ->
                    problems.add("tasks and features", why, "those of " + from.getRestorePath()));
      } catch (LayoutException e) {
        problems.add("tasks and features", e.getMessage(), KNOWN);
      } catch (Exception e) {
        note.accept(unseen(", " + uid, e));
      }
    }
  }

  private void check(String model, OperatorState state, Problems problems) {
    ModelDefinition now =
        pipeline.models().stream().filter(m -> m.name().equals(model)).findFirst().orElse(null);
    if (now == null) {
      if (!from.allowNonRestoredState()) {
        problems.add(
            "models",
            model,
            "a model that is still there, because "
                + from.getRestorePath()
                + " holds its state, or a start that may leave state behind (`submit --allow-non-restored`, `flink"
                + " run -n`)");
      }
      return;
    }
    try {
      String wanted = TrainedShape.of(pipeline.context(now));
      for (String before : read(state, store -> store.getListState(SHAPE))) {
        List<String> changes = TrainedShape.changes(before, wanted);
        if (!changes.isEmpty()) {
          problems.add(
              "models." + model,
              String.join("; ", changes),
              "what it was in "
                  + from.getRestorePath()
                  + "; give the model a new name to start it afresh, or set back what was changed");
        }
      }
    } catch (LayoutException e) {
      problems.add("models." + model, e.getMessage(), KNOWN);
    } catch (Exception e) {
      note.accept(unseen(", model " + model, e));
    }
  }

  private String unseen(String part, Exception e) {
    return "Whether "
        + from.getRestorePath()
        + part
        + " fits the pipeline could not be looked at before the start: "
        // The names of these add nothing.
        + (e instanceof FileNotFoundException || e.getClass() == IOException.class
            ? e.getMessage()
            : e);
  }

  private static CheckpointMetadata metadata(String path) throws IOException {
    var location = AbstractFsCheckpointStorageAccess.resolveCheckpointPointer(path);
    try (DataInputStream in = new DataInputStream(location.getMetadataHandle().openInputStream())) {
      return Checkpoints.loadCheckpointMetadata(
          in, CheckpointCheck.class.getClassLoader(), location.getExternalPointer());
    }
  }

  private static Map<String, OperatorState> trainers(CheckpointMetadata metadata) {
    Map<String, OperatorState> trainers = new LinkedHashMap<>();
    for (OperatorState state : metadata.getOperatorStates()) {
      state
          .getOperatorUid()
          .filter(uid -> uid.startsWith(UID))
          // The training log's sinks have uids that begin alike.
          .filter(uid -> has(state, SHAPE))
          .ifPresent(uid -> trainers.put(uid.substring(UID.length()), state));
    }
    return trainers;
  }

  private static boolean has(OperatorState state, ListStateDescriptor<String> part) {
    return state.getStates().stream()
        .flatMap(subtask -> subtask.getManagedOperatorState().stream())
        .anyMatch(handle -> handle.getStateNameToPartitionOffsets().containsKey(part.getName()));
  }

  private interface Part {
    ListState<String> of(OperatorStateBackend store) throws Exception;
  }

  private static List<String> read(OperatorState state, Part part) throws Exception {
    List<OperatorStateHandle> handles = new ArrayList<>();
    for (OperatorSubtaskState subtask : state.getStates()) {
      handles.addAll(subtask.getManagedOperatorState());
    }
    List<String> texts = new ArrayList<>();
    try (CloseableRegistry open = new CloseableRegistry()) {
      OperatorStateBackend backend =
          new DefaultOperatorStateBackendBuilder(
                  CheckpointCheck.class.getClassLoader(),
                  new ExecutionConfig(),
                  false,
                  handles,
                  open)
              .build();
      try {
        part.of(backend).get().forEach(texts::add);
      } finally {
        backend.dispose();
      }
    }
    return texts;
  }
}
