package dev.freshet.job.events;

import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.flink.runtime.executiongraph.ExecutionAttemptID;
import org.apache.flink.runtime.jobgraph.OperatorID;
import org.apache.flink.runtime.messages.Acknowledge;
import org.apache.flink.runtime.operators.coordination.OperatorCoordinator;
import org.apache.flink.runtime.operators.coordination.OperatorEvent;
import org.apache.flink.runtime.operators.coordination.TaskNotRunningException;
import org.jspecify.annotations.Nullable;

/**
 * A coordinator that lets go of the events that it sent to an attempt when this has failed.
 *
 * <p>Flink holds a coordinator's events back while a checkpoint's barrier is on its way to the
 * task, and begins no checkpoint before all events of the coordinator are confirmed or lost. If the
 * task fails meanwhile, a restart of its region (2.3) forgets what was held back: those events are
 * never confirmed and never lost, so that the next checkpoint waits until it times out; meanwhile
 * its events are held back too, among them those that let sources read on. Sources that are aligned
 * get an event every 200 ms, so that a checkpoint that is on its way when a task manager is killed
 * can do it.
 */
final class ReleasingCoordinator implements OperatorCoordinator {

  /** Makes the coordinator of a source. */
  static final class Provider implements OperatorCoordinator.Provider {

    private static final long serialVersionUID = 1;

    private final OperatorCoordinator.Provider of;

    Provider(OperatorCoordinator.Provider of) {
      this.of = of;
    }

    @Override
    public OperatorID getOperatorId() {
      return of.getOperatorId();
    }

    @Override
    public OperatorCoordinator create(Context context) throws Exception {
      return new ReleasingCoordinator(of.create(context));
    }
  }

  private record Attempt(int subtask, int number) {}

  /** To one attempt of a subtask. */
  private static final class Gateway implements SubtaskGateway {

    private final SubtaskGateway to;
    private final Set<CompletableFuture<Acknowledge>> open = ConcurrentHashMap.newKeySet();
    private volatile boolean failed;

    Gateway(SubtaskGateway to) {
      this.to = to;
    }

    @Override
    public CompletableFuture<Acknowledge> sendEvent(OperatorEvent event) {
      CompletableFuture<Acknowledge> confirmed = to.sendEvent(event);
      open.add(confirmed);
      confirmed.whenComplete((done, lost) -> open.remove(confirmed));
      if (failed) {
        release();
      }
      return confirmed;
    }

    /** The futures are those that Flink waits for. Twice does no harm. */
    void release() {
      failed = true;
      for (CompletableFuture<Acknowledge> one : open) {
        one.completeExceptionally(new TaskNotRunningException("the attempt has failed"));
      }
    }

    @Override
    public ExecutionAttemptID getExecution() {
      return to.getExecution();
    }

    @Override
    public int getSubtask() {
      return to.getSubtask();
    }
  }

  private final OperatorCoordinator of;

  /** Of attempts that have not failed yet. */
  private final Map<Attempt, Gateway> gateways = new ConcurrentHashMap<>();

  ReleasingCoordinator(OperatorCoordinator of) {
    this.of = of;
  }

  @Override
  public void executionAttemptReady(int subtask, int attempt, SubtaskGateway gateway) {
    Gateway releasing = new Gateway(gateway);
    gateways.put(new Attempt(subtask, attempt), releasing);
    of.executionAttemptReady(subtask, attempt, releasing);
  }

  @Override
  public void executionAttemptFailed(int subtask, int attempt, @Nullable Throwable reason) {
    of.executionAttemptFailed(subtask, attempt, reason);
    Gateway gateway = gateways.remove(new Attempt(subtask, attempt));
    if (gateway != null) {
      gateway.release();
    }
  }

  @Override
  public void start() throws Exception {
    of.start();
  }

  @Override
  public void close() throws Exception {
    of.close();
  }

  @Override
  public void handleEventFromOperator(int subtask, int attempt, OperatorEvent event)
      throws Exception {
    of.handleEventFromOperator(subtask, attempt, event);
  }

  @Override
  public void checkpointCoordinator(long checkpoint, CompletableFuture<byte[]> result)
      throws Exception {
    of.checkpointCoordinator(checkpoint, result);
  }

  @Override
  public void notifyCheckpointComplete(long checkpoint) {
    of.notifyCheckpointComplete(checkpoint);
  }

  @Override
  public void notifyCheckpointAborted(long checkpoint) {
    of.notifyCheckpointAborted(checkpoint);
  }

  @Override
  public void resetToCheckpoint(long checkpoint, byte @Nullable [] state) throws Exception {
    of.resetToCheckpoint(checkpoint, state);
  }

  @Override
  public void subtaskReset(int subtask, long checkpoint) {
    of.subtaskReset(subtask, checkpoint);
  }

  @Override
  public boolean supportsBatchSnapshot() {
    return of.supportsBatchSnapshot();
  }
}
