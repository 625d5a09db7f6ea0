package dev.freshet.job.training;

import static dev.freshet.job.training.TrainerState.SHAPE;

import dev.freshet.core.codec.LayoutException;
import dev.freshet.core.counts.CountHistory;
import dev.freshet.core.counts.CountPlan;
import dev.freshet.core.labels.Task;
import dev.freshet.core.models.ModelDefinition;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.settings.Problems;
import dev.freshet.job.counts.CountFunction;
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
import java.util.function.Predicate;
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
 * job is submitted: what each model's trainer was laid out for, and whether it still is there; what
 * tasks and fields the impressions that wait are laid out for; and what has been counted.
 *
 * <p>What cannot be looked at is reported and not refused; the trainers look again when they start.
 */
public final class CheckpointCheck {

  /** Beginning of the uids of trainers; the model's name follows. */
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
    List<Task> tasks = pipeline.tasks();
    String fields = pipeline.schema().layout();
    checkWaiting(metadata, LabelJoinFunction.UID, WaitingLayout.forLabels(tasks, fields), problems);
    CountPlan plan = pipeline.counts();
    if (!plan.isEmpty()) {
      checkWaiting(
          metadata,
          CountJoinFunction.UID,
          WaitingLayout.forFeedback(tasks, plan.fields()),
          problems);
    }
    for (CountPlan.By by : plan.by()) {
      String uid = CountFunction.UID + by.field();
      checkWaiting(metadata, uid, WaitingLayout.forCounts(tasks, fields), problems);
      checkCounters(metadata, uid, by, problems);
    }
    checkCountsThatAreGone(metadata, plan.fields(), problems);
    trainers.forEach((model, state) -> check(model, state, problems));
  }

  private static List<OperatorState> steps(CheckpointMetadata metadata, Predicate<String> uid) {
    return metadata.getOperatorStates().stream()
        .filter(state -> state.getOperatorUid().filter(uid).isPresent())
        .toList();
  }

  /** The impressions that wait in the step of this uid. */
  private void checkWaiting(
      CheckpointMetadata metadata, String uid, WaitingLayout layout, Problems problems) {
    for (OperatorState join : steps(metadata, uid::equals)) {
      if (!has(join, WaitingLayout.STATE)) {
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

  /** Reads what has been counted in the step of this uid: a count that was not is reported. */
  private void checkCounters(
      CheckpointMetadata metadata, String uid, CountPlan.By by, Problems problems) {
    List<OperatorState> steps = steps(metadata, uid::equals);
    if (steps.isEmpty()) {
      note.accept(
          CountFunction.startsAnew(by.numbers().stream().map(CountPlan.Number::field).toList()));
    }
    for (OperatorState counts : steps) {
      if (!has(counts, CountFunction.COUNTERS)) {
        continue;
      }
      try {
        // All subtasks have said the same.
        String said = read(counts, store -> store.getUnionListState(CountFunction.COUNTERS)).get(0);
        List<String> anew = CountHistory.read(said).anew(by);
        if (!anew.isEmpty()) {
          note.accept(CountFunction.startsAnew(anew));
        }
      } catch (LayoutException e) {
        problems.add("features", e.getMessage(), KNOWN);
      } catch (Exception e) {
        note.accept(unseen(", " + uid, e));
      }
    }
  }

  private void checkCountsThatAreGone(
      CheckpointMetadata metadata, List<String> by, Problems problems) {
    if (from.allowNonRestoredState()) {
      return;
    }
    for (OperatorState counts : steps(metadata, uid -> uid.startsWith(CountFunction.UID))) {
      String field = counts.getOperatorUid().orElseThrow().substring(CountFunction.UID.length());
      if (!by.contains(field)) {
        problems.add("features", "no counts by " + field, stillThere("counts by it that are"));
      }
    }
  }

  private String stillThere(String what) {
    return what
        + " still there, because "
        + from.getRestorePath()
        + " holds the state, or a start that may leave state behind (`submit"
        + " --allow-non-restored`, `flink run -n`)";
  }

  private void check(String model, OperatorState state, Problems problems) {
    ModelDefinition now =
        pipeline.models().stream().filter(m -> m.name().equals(model)).findFirst().orElse(null);
    if (now == null) {
      if (!from.allowNonRestoredState()) {
        problems.add("models", model, stillThere("a model that is"));
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
        String heads = TrainedShape.beginningHeads(before, wanted);
        if (!heads.isEmpty()) {
          note.accept(
              "Model %s: delay heads %s begin as if nothing were late".formatted(model, heads));
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
        + " fits the pipeline could not be looked at from here before the start, which says"
        + " nothing of the cluster: "
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
