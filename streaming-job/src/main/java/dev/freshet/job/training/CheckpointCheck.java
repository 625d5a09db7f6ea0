package dev.freshet.job.training;

import static dev.freshet.job.training.TrainOperator.SHAPE;

import dev.freshet.core.models.ModelDefinition;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.settings.Problems;
import dev.freshet.core.training.TrainedShape;
import java.io.DataInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.flink.api.common.ExecutionConfig;
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
 * job is submitted: what each model's trainer was laid out for, and whether it still is there.
 *
 * <p>What cannot be looked at is told and not refused; the trainers look again when they start.
 */
public final class CheckpointCheck {

  /** What the uids of trainers begin with; the model's name follows. */
  public static final String UID = "training-";

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
    Map<String, OperatorState> trainers;
    try {
      trainers = trainers(metadata(from.getRestorePath()));
    } catch (IOException | RuntimeException e) {
      note.accept(unseen("", e));
      return;
    }
    trainers.forEach((model, state) -> check(model, state, problems));
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
                + " holds its state, or a start that may leave state behind (flink run -n)");
      }
      return;
    }
    try {
      String wanted = TrainedShape.of(pipeline.context(now));
      for (String before : shapes(state)) {
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
    } catch (Exception e) {
      note.accept(unseen(", model " + model, e));
    }
  }

  private String unseen(String part, Exception e) {
    return "Whether "
        + from.getRestorePath()
        + part
        + " fits the pipeline could not be looked at before the start: "
        + e;
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
          .filter(uid -> hasShape(state))
          .ifPresent(uid -> trainers.put(uid.substring(UID.length()), state));
    }
    return trainers;
  }

  private static boolean hasShape(OperatorState state) {
    return state.getStates().stream()
        .flatMap(subtask -> subtask.getManagedOperatorState().stream())
        .anyMatch(handle -> handle.getStateNameToPartitionOffsets().containsKey(SHAPE.getName()));
  }

  private static List<String> shapes(OperatorState state) throws Exception {
    List<OperatorStateHandle> handles = new ArrayList<>();
    for (OperatorSubtaskState subtask : state.getStates()) {
      handles.addAll(subtask.getManagedOperatorState());
    }
    List<String> shapes = new ArrayList<>();
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
        backend.getListState(SHAPE).get().forEach(shapes::add);
      } finally {
        backend.dispose();
      }
    }
    return shapes;
  }
}
