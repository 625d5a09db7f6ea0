package dev.freshet.local.run;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.apache.flink.api.common.JobStatus;
import org.apache.flink.runtime.checkpoint.AbstractCheckpointStats;
import org.apache.flink.runtime.checkpoint.CheckpointStatsSnapshot;
import org.apache.flink.runtime.checkpoint.CheckpointStatsStatus;
import org.apache.flink.runtime.checkpoint.CompletedCheckpointStats;
import org.apache.flink.runtime.checkpoint.TaskStateStats;
import org.apache.flink.runtime.executiongraph.AccessExecutionGraph;
import org.apache.flink.runtime.executiongraph.AccessExecutionJobVertex;

/**
 * Says when a job goes without a checkpoint for longer than expected, and what it waits for: what
 * it learns meanwhile would be learnt again after a failure.
 */
final class CheckpointWatch {

  private CheckpointWatch() {}

  /**
   * A line for people, or nothing if all is well.
   *
   * @param now epoch milliseconds
   * @param expected how long may pass without a checkpoint
   */
  static Optional<String> late(AccessExecutionGraph job, long now, Duration expected) {
    CheckpointStatsSnapshot checkpoints = job.getCheckpointStatsSnapshot();
    // Before it was created it has no times.
    if (checkpoints == null
        || job.getState() == JobStatus.INITIALIZING
        || job.getState().isTerminalState()) {
      return Optional.empty();
    }
    CompletedCheckpointStats last = checkpoints.getHistory().getLatestCompletedCheckpoint();
    long since =
        last == null ? job.getStatusTimestamp(JobStatus.CREATED) : last.getLatestAckTimestamp();
    Duration waited = Duration.ofMillis(now - since);
    if (waited.compareTo(expected) <= 0) {
      return Optional.empty();
    }
    return Optional.of(
        String.format(
            Locale.ROOT, "no checkpoint for %d s: %s", waited.toSeconds(), why(job, checkpoints)));
  }

  private static String why(AccessExecutionGraph job, CheckpointStatsSnapshot checkpoints) {
    for (AbstractCheckpointStats checkpoint : checkpoints.getHistory().getCheckpoints()) {
      if (checkpoint.getStatus() == CheckpointStatsStatus.IN_PROGRESS) {
        List<String> steps = waitingFor(job, checkpoint);
        if (!steps.isEmpty()) {
          return String.format(
              Locale.ROOT,
              "number %d has not passed %s; it goes behind the events that are under way there",
              checkpoint.getCheckpointId(),
              String.join(", ", steps));
        }
      }
    }
    return job.getState() == JobStatus.RUNNING
        ? "the next one is about to begin"
        : "the job is " + job.getState().name().toLowerCase(Locale.ROOT);
  }

  /** Steps that have not acknowledged a checkpoint, in the order of the data. */
  private static List<String> waitingFor(
      AccessExecutionGraph job, AbstractCheckpointStats checkpoint) {
    List<String> steps = new ArrayList<>();
    for (AccessExecutionJobVertex step : job.getVerticesTopologically()) {
      TaskStateStats stats = checkpoint.getTaskStateStats(step.getJobVertexId());
      if (stats != null && stats.getNumberOfAcknowledgedSubtasks() < stats.getNumberOfSubtasks()) {
        // A chain of operators: the first one names it.
        steps.add(step.getName().split(" -> ")[0].replace("Source: ", ""));
      }
    }
    return steps;
  }
}
