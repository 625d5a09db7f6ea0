package dev.freshet.job.events;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.apache.flink.runtime.executiongraph.ExecutionAttemptID;
import org.apache.flink.runtime.jobgraph.OperatorID;
import org.apache.flink.runtime.messages.Acknowledge;
import org.apache.flink.runtime.operators.coordination.EventReceivingTasks;
import org.apache.flink.runtime.operators.coordination.OperatorCoordinator;
import org.apache.flink.runtime.operators.coordination.OperatorCoordinatorHolder;
import org.apache.flink.runtime.operators.coordination.OperatorEvent;
import org.apache.flink.runtime.operators.coordination.TestingHolders;
import org.apache.flink.runtime.source.event.WatermarkAlignmentEvent;
import org.junit.jupiter.api.Test;

class ReleasingCoordinatorTest {

  /** Knows the newest gateway of each subtask, as Flink's coordinator of sources. */
  private static final class TestingCoordinator implements OperatorCoordinator {

    private final Map<Integer, SubtaskGateway> gateways = new HashMap<>();
    private int failed;

    @Override
    public void executionAttemptReady(int subtask, int attempt, SubtaskGateway gateway) {
      gateways.put(subtask, gateway);
    }

    @Override
    public void executionAttemptFailed(int subtask, int attempt, Throwable reason) {
      failed++;
    }

    @Override
    public void start() {}

    @Override
    public void close() {}

    @Override
    public void handleEventFromOperator(int subtask, int attempt, OperatorEvent event) {}

    @Override
    public void checkpointCoordinator(long checkpoint, CompletableFuture<byte[]> result) {
      result.complete(new byte[0]);
    }

    @Override
    public void notifyCheckpointComplete(long checkpoint) {}

    @Override
    public void resetToCheckpoint(long checkpoint, byte[] state) {}

    @Override
    public void subtaskReset(int subtask, long checkpoint) {}
  }

  /** Closed, as behind a barrier: nothing is sent, and nothing confirmed. */
  private record TestingGateway(int subtask, CompletableFuture<Acknowledge> confirmed)
      implements OperatorCoordinator.SubtaskGateway {

    TestingGateway(int subtask) {
      this(subtask, new CompletableFuture<>());
    }

    @Override
    public CompletableFuture<Acknowledge> sendEvent(OperatorEvent event) {
      return confirmed;
    }

    @Override
    public ExecutionAttemptID getExecution() {
      return ExecutionAttemptID.randomId();
    }

    @Override
    public int getSubtask() {
      return subtask;
    }
  }

  private static final OperatorID ID = new OperatorID();

  private final TestingCoordinator inner = new TestingCoordinator();
  private final ReleasingCoordinator coordinator = new ReleasingCoordinator(inner);

  private void send(int subtask) {
    inner.gateways.get(subtask).sendEvent(new WatermarkAlignmentEvent(1));
  }

  @Test
  void releasesWhatWasHeldBackForAnAttemptThatFails() {
    TestingGateway first = new TestingGateway(0);
    TestingGateway other = new TestingGateway(1);
    coordinator.executionAttemptReady(0, 3, first);
    coordinator.executionAttemptReady(1, 3, other);
    send(0);
    send(1);
    assertThat(first.confirmed()).isNotDone();
    coordinator.executionAttemptFailed(0, 3, null);
    assertThat(inner.failed).isOne();
    assertThat(first.confirmed()).isCompletedExceptionally();
    assertThat(other.confirmed()).isNotDone();
  }

  /** The coordinator's own thread hears of the failure later. */
  @Test
  void releasesWhatIsSentToAnAttemptThatHasFailed() {
    TestingGateway gateway = new TestingGateway(0);
    coordinator.executionAttemptReady(0, 0, gateway);
    coordinator.executionAttemptFailed(0, 0, null);
    assertThat(gateway.confirmed()).isNotDone();
    send(0);
    assertThat(gateway.confirmed()).isCompletedExceptionally();
  }

  @Test
  void waitsForTheNextAttemptAsBefore() {
    coordinator.executionAttemptReady(0, 0, new TestingGateway(0));
    coordinator.executionAttemptFailed(0, 0, null);
    TestingGateway next = new TestingGateway(0);
    coordinator.executionAttemptReady(0, 1, next);
    send(0);
    coordinator.executionAttemptFailed(0, 0, null);
    assertThat(next.confirmed()).isNotDone();
    next.confirmed().complete(Acknowledge.get());
    coordinator.executionAttemptFailed(0, 1, null);
    assertThat(next.confirmed()).isCompletedWithValue(Acknowledge.get());
  }

  /**
   * What befalls a job in Flink's own hands: a checkpoint is being triggered, an event is held back
   * behind it, the task fails, its region restarts, and then the checkpoint is given up.
   *
   * @return the checkpoint that is begun then
   */
  private CompletableFuture<byte[]> checkpointAfterARestart(OperatorCoordinator.Provider provider)
      throws Exception {
    EventReceivingTasks tasks = EventReceivingTasks.createForRunningTasks();
    ScheduledExecutorService executor = Executors.newSingleThreadScheduledExecutor();
    try (OperatorCoordinatorHolder holder = TestingHolders.start(provider, tasks, 1, executor)) {
      holder.checkpointCoordinator(1, new CompletableFuture<>());
      send(0);
      assertThat(tasks.getNumberOfSentEvents()).isZero();
      holder.executionAttemptFailed(0, 0, new Exception("killed"));
      holder.subtaskReset(0, -1);
      holder.setupSubtaskGatewayForAttempts(0, Set.of(1));
      holder.abortCurrentTriggering();
      CompletableFuture<byte[]> next = new CompletableFuture<>();
      holder.checkpointCoordinator(2, next);
      return next;
    } finally {
      executor.shutdownNow();
    }
  }

  private record Provider(OperatorCoordinator coordinator) implements OperatorCoordinator.Provider {

    @Override
    public OperatorID getOperatorId() {
      return ID;
    }

    @Override
    public OperatorCoordinator create(OperatorCoordinator.Context context) {
      return coordinator;
    }
  }

  @Test
  void letsTheNextCheckpointCompleteInFlinksOwnHolder() throws Exception {
    OperatorCoordinator.Provider flinks = new Provider(inner);
    assertThat(checkpointAfterARestart(new ReleasingCoordinator.Provider(flinks))).isCompleted();
  }

  /** If this fails after an update of Flink, the coordinator under test may be taken out. */
  @Test
  void isNeeded() throws Exception {
    assertThat(checkpointAfterARestart(new Provider(inner))).isNotDone();
  }
}
