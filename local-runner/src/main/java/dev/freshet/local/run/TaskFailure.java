package dev.freshet.local.run;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.apache.flink.runtime.executiongraph.AccessExecution;
import org.apache.flink.runtime.executiongraph.AccessExecutionGraph;
import org.apache.flink.runtime.executiongraph.AccessExecutionVertex;
import org.apache.flink.runtime.executiongraph.ErrorInfo;

/**
 * A step that failed, and why.
 *
 * @param step its name, with the subtask where there are several; empty if it was the whole job
 * @param cause the exception of the step itself, without what Flink makes of it
 * @param attempt how often the step had been started again before, from 0
 * @param at epoch milliseconds
 */
public record TaskFailure(String step, Throwable cause, int attempt, long at) {

  /** All failures of a job, oldest first. One that took other tasks down counts once. */
  static List<TaskFailure> of(AccessExecutionGraph graph) {
    List<TaskFailure> failures = new ArrayList<>();
    for (AccessExecutionVertex vertex : graph.getAllExecutionVertices()) {
      List<AccessExecution> attempts =
          new ArrayList<>(vertex.getExecutionHistory().getHistoricalExecutions());
      attempts.add(vertex.getCurrentExecutionAttempt());
      for (AccessExecution attempt : attempts) {
        attempt
            .getFailureInfo()
            .ifPresent(
                error -> failures.add(failure(name(vertex), attempt.getAttemptNumber(), error)));
      }
    }
    if (failures.isEmpty() && graph.getFailureInfo() != null) {
      failures.add(failure("", 0, graph.getFailureInfo()));
    }
    failures.sort(Comparator.comparingLong(TaskFailure::at));
    return failures;
  }

  private static TaskFailure failure(String step, int attempt, ErrorInfo error) {
    return new TaskFailure(
        step,
        error.getException().deserializeError(TaskFailure.class.getClassLoader()),
        attempt,
        error.getTimestamp());
  }

  // A chain of steps is named by all of them, "training main -> versions main: Writer -> ...".
  private static String name(AccessExecutionVertex vertex) {
    String whole = vertex.getTaskNameWithSubtaskIndex();
    int chained = whole.indexOf(" -> ");
    String first =
        chained < 0 ? whole.replaceFirst(" \\(\\d+/\\d+\\)$", "") : whole.substring(0, chained);
    String subtask = whole.replaceFirst("^.* \\((\\d+/\\d+)\\)$", "$1");
    return subtask.endsWith("/1") ? first : first + " " + subtask;
  }

  /** One line: the step and the deepest cause that says something. */
  @Override
  public String toString() {
    String why = RootCause.of(cause);
    return step.isEmpty() ? why : step + ": " + why;
  }
}
