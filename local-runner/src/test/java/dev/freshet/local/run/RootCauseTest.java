package dev.freshet.local.run;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.training.TrainingDivergedException;
import java.io.IOException;
import java.util.concurrent.ExecutionException;
import org.apache.flink.runtime.JobException;
import org.apache.flink.runtime.client.JobExecutionException;
import org.apache.flink.util.FlinkRuntimeException;
import org.apache.flink.util.SerializedThrowable;
import org.junit.jupiter.api.Test;

class RootCauseTest {

  @Test
  void whatFlinkWrapsAroundIsLeftOut() {
    Throwable root = new IllegalStateException("model main, step 7: the loss is NaN\nmore");
    Throwable thrown =
        new JobExecutionException(
            null,
            "Job execution failed.",
            new JobException(
                "Recovery is suppressed by NoRestartBackoffTimeStrategy",
                new SerializedThrowable(new FlinkRuntimeException("a step failed", root))));
    assertThat(RootCause.of(thrown)).isEqualTo("model main, step 7: the loss is NaN");
  }

  @Test
  void whatOthersAddIsKept() {
    Throwable thrown =
        new ExecutionException(
            new IllegalArgumentException(
                "topic clicks, partition 1, offset 17", new NumberFormatException("no number: x")));
    assertThat(RootCause.of(thrown))
        .isEqualTo("topic clicks, partition 1, offset 17: no number: x");
  }

  @Test
  void whatIsSaidBeforeTheRepeatedCauseIsKept() {
    Exception root = new IOException("no space left");
    assertThat(RootCause.of(new IllegalStateException("/tmp/x: no space left", root)))
        .isEqualTo("/tmp/x: no space left");
    assertThat(RootCause.of(new IllegalStateException("/tmp/x: " + root, root)))
        .isEqualTo("/tmp/x: no space left");
  }

  @Test
  void anExceptionWithoutAMessageIsNamed() {
    assertThat(RootCause.of(new RuntimeException(new NullPointerException())))
        .isEqualTo("NullPointerException");
  }

  @Test
  void whatHelpsIsSaid() {
    Throwable memory = new RuntimeException(new OutOfMemoryError("Java heap space"));
    assertThat(RootCause.of(memory)).isEqualTo("OutOfMemoryError: Java heap space");
    assertThat(RootCause.advice(memory)).contains("FRESHET_HEAP");
    assertThat(RootCause.advice(new RuntimeException(new TrainingDivergedException("x", 1, "x"))))
        .contains("training.dense.rate");
    assertThat(RootCause.advice(new IllegalStateException("x"))).isNull();
  }
}
