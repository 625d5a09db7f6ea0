package dev.freshet.local.run;

import java.util.List;
import org.apache.flink.runtime.jobmaster.JobResult;
import org.jspecify.annotations.Nullable;

/** The job has failed and does not come back. The message says in a few lines why. */
public final class JobFailedException extends Exception {

  private JobFailedException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }

  static JobFailedException of(JobResult result, List<TaskFailure> failures) {
    Throwable thrown =
        result
            .getSerializedThrowable()
            .map(t -> t.deserializeError(JobFailedException.class.getClassLoader()))
            .orElse(null);
    StringBuilder text = new StringBuilder("The job failed");
    if (failures.size() > 1) {
      text.append(" ").append(failures.size()).append(" times, and is not restarted again");
    }
    Throwable cause = thrown;
    if (failures.isEmpty()) {
      text.append(": ").append(thrown == null ? "it was cancelled" : RootCause.of(thrown));
    } else {
      TaskFailure last = failures.get(failures.size() - 1);
      text.append(":\n  ").append(last);
      cause = last.cause();
    }
    String advice = cause == null ? null : RootCause.advice(cause);
    if (advice != null) {
      text.append("\nWhat may help: ").append(advice);
    }
    return new JobFailedException(text.toString(), thrown);
  }
}
