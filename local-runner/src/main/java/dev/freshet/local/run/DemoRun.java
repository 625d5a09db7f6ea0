package dev.freshet.local.run;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.freshet.core.events.EventReader;
import dev.freshet.core.events.Impression;
import dev.freshet.core.models.ModelDefinition;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.SystemTopic;
import dev.freshet.experiments.simulator.SimulatedMessage;
import dev.freshet.experiments.simulator.Simulator;
import dev.freshet.local.signals.EndRequest;
import dev.freshet.replica.ModelReplica;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** A {@link LocalRun} fed by the {@link Simulator} at a steady pace, with replicas that predict. */
public final class DemoRun {

  private static final int SCORED_AT_ONCE = 64;

  private final Pipeline pipeline;
  private final EventReader reader;
  private final Simulator simulator;
  private final double speed;
  private final EndRequest end;
  private final PrintStream out;
  private final AtomicReference<Exception> failure = new AtomicReference<>();
  private volatile boolean stopping;
  private volatile boolean allSent;
  private volatile List<byte[]> sample = List.of();

  /**
   * @param speed seconds simulated in a second of real time
   */
  public DemoRun(
      Pipeline pipeline, Simulator simulator, double speed, EndRequest end, PrintStream out) {
    this.pipeline = pipeline;
    reader = pipeline.eventReader();
    this.simulator = simulator;
    this.speed = speed;
    this.end = end;
    this.out = out;
  }

  /**
   * Runs until the time is over or the impressions are learnt.
   *
   * @param duration null for no limit
   * @return the final figures
   * @throws RefusedException if the folder holds something else
   */
  public ObjectNode run(LocalRun.Settings settings, @Nullable Duration duration, long impressions)
      throws Exception {
    // The messages that are there are a prefix of these only if it is the same shop.
    Map<String, String> of = Map.of("load", simulator.settings().toString());
    Optional<RunRecord> before = RunRecord.read(settings.folder());
    if (before.isPresent()) {
      before.get().require(RunRecord.DEMO, of, settings.folder());
    } else {
      RunRecord.begin(RunRecord.DEMO, of).write(settings.folder());
    }
    end.interruptsMe(true);
    try (LocalRun run = LocalRun.open(pipeline, settings, end, out)) {
      run.startJob();
      end.interruptsMe(false);
      Thread feeder = new Thread(() -> feed(run, impressions), "simulator");
      feeder.setDaemon(true);
      feeder.start();
      LocalRun.Ending ending =
          run.follow(
              new LocalRun.Feed() {
                @Override
                public boolean allSent() {
                  return allSent;
                }

                @Override
                public void meanwhile() throws Exception {
                  if (failure.get() != null) {
                    throw failure.get();
                  }
                  predict(run);
                }

                @Override
                public void stop() throws InterruptedException {
                  stopping = true;
                  feeder.join();
                }
              },
              duration == null ? Double.MAX_VALUE : duration.toMillis() / 1000.0);
      return run.report(ending);
    }
  }

  private void feed(LocalRun run, long impressions) {
    List<byte[]> recent = new ArrayList<>();
    try (ResumingProducer producer = new ResumingProducer(run.pipeline(), run.topics(), Map.of())) {
      long startedAt = 0;
      long startedFrom = 0;
      while (!stopping) {
        SimulatedMessage message = simulator.next(impressions);
        if (message == null) {
          producer.flush();
          allSent = true;
          return;
        }
        if (!producer.send(message.topic(), message.key(), message.value(), message.arrival())) {
          continue;
        }
        if (startedFrom == 0) {
          startedAt = System.nanoTime();
          startedFrom = message.arrival();
          if (producer.skipped() > 0) {
            out.printf("%,d events are there already%n", producer.skipped());
          }
        }
        if (message.topic().equals(pipeline.topic(SystemTopic.IMPRESSIONS))) {
          recent.add(message.value());
          if (recent.size() == SCORED_AT_ONCE) {
            sample = List.copyOf(recent);
            recent.clear();
          }
        }
        // The last impressions' feedback takes simulated days: it is not worth waiting for.
        if (simulator.impressions() < impressions) {
          pace(startedAt, message.arrival() - startedFrom);
        }
      }
    } catch (Exception e) {
      failure.set(e);
    }
  }

  private void pace(long startedAt, long simulatedMillis) throws InterruptedException {
    long due = startedAt + (long) (simulatedMillis * 1e6 / speed);
    long ahead = due - System.nanoTime();
    if (ahead > TimeUnit.MILLISECONDS.toNanos(2)) {
      TimeUnit.NANOSECONDS.sleep(ahead);
    }
  }

  /** Serves the newest impressions, as a serving process would. */
  private void predict(LocalRun run) {
    List<Impression> served = new ArrayList<>();
    for (byte[] message : sample) {
      Impression impression = reader.impression(message).event();
      if (impression != null) {
        served.add(impression);
      }
    }
    if (served.isEmpty()) {
      return;
    }
    for (ModelDefinition model : pipeline.models()) {
      ModelReplica replica = run.replica(model);
      if (replica.manifest().isPresent()) {
        replica.predict(served);
      }
    }
  }
}
