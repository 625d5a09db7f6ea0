package dev.freshet.local.run;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.local.signals.EndRequest;
import java.io.PrintStream;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A {@link LocalRun} on brokers that somebody else runs, fed by whoever writes to the pipeline's
 * topics. It has no end by itself, and goes on from where it was when it is started again.
 */
public final class KafkaRun {

  private final Pipeline pipeline;
  private final EndRequest end;
  private final PrintStream out;

  public KafkaRun(Pipeline pipeline, EndRequest end, PrintStream out) {
    this.pipeline = pipeline;
    this.end = end;
    this.out = out;
  }

  /**
   * Runs until the time is over or somebody wants the end.
   *
   * @param duration null for no limit
   * @return the final figures
   * @throws RefusedException if the folder holds something else
   */
  public ObjectNode run(LocalRun.Settings settings, @Nullable Duration duration) throws Exception {
    end.interruptsMe(true);
    try (LocalRun run = LocalRun.join(pipeline, settings, end, out)) {
      // Checkpoints name positions in the topics of one cluster.
      Map<String, String> of =
          Map.of("name", pipeline.pipeline(), "cluster", run.topics().clusterId());
      Optional<RunRecord> before = RunRecord.read(settings.folder());
      if (before.isPresent()) {
        before.get().require(RunRecord.RUN, of, settings.folder());
      } else {
        RunRecord.begin(RunRecord.RUN, of).write(settings.folder());
      }
      run.startJob();
      end.interruptsMe(false);
      LocalRun.Ending ending =
          run.follow(
              () -> false, duration == null ? Double.MAX_VALUE : duration.toMillis() / 1000.0);
      return run.report(ending);
    }
  }
}
