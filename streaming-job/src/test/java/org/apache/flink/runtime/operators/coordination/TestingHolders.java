package org.apache.flink.runtime.operators.coordination;

import java.util.concurrent.ScheduledExecutorService;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.checkpoint.CheckpointCoordinatorTestingUtils.CheckpointCoordinatorBuilder;
import org.apache.flink.runtime.concurrent.ComponentMainThreadExecutorServiceAdapter;
import org.apache.flink.runtime.executiongraph.TaskInformation;
import org.apache.flink.runtime.jobgraph.JobVertexID;
import org.apache.flink.runtime.metrics.groups.UnregisteredMetricGroups;
import org.apache.flink.runtime.testtasks.NoOpInvokable;

/** Flink's own holder of a coordinator, which only its package can make. */
public final class TestingHolders {

  private TestingHolders() {}

  /**
   * One whose main thread is the caller's, with gateways to {@code tasks}; it is started.
   *
   * @param executor of the checkpoint coordinator that it is told of
   */
  public static OperatorCoordinatorHolder start(
      OperatorCoordinator.Provider provider,
      EventReceivingTasks tasks,
      int parallelism,
      ScheduledExecutorService executor)
      throws Exception {
    String name = "testing";
    OperatorCoordinatorHolder holder =
        OperatorCoordinatorHolder.create(
            provider.getOperatorId(),
            provider,
            new CoordinatorStoreImpl(),
            name,
            TestingHolders.class.getClassLoader(),
            parallelism,
            128,
            tasks,
            false,
            new TaskInformation(
                new JobVertexID(),
                name,
                parallelism,
                128,
                NoOpInvokable.class.getName(),
                new Configuration()),
            UnregisteredMetricGroups.createUnregisteredJobManagerJobMetricGroup());
    holder.lazyInitialize(
        failure -> {
          throw new AssertionError(failure);
        },
        ComponentMainThreadExecutorServiceAdapter.forMainThread(),
        new CheckpointCoordinatorBuilder().build(executor));
    holder.start();
    return holder;
  }
}
