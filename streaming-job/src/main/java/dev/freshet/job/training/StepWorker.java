package dev.freshet.job.training;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The thread on which a model's steps are taken, one at a time. */
final class StepWorker implements AutoCloseable {

  private static final Logger LOGGER = LoggerFactory.getLogger(StepWorker.class);

  private final String model;
  private final ExecutorService thread;

  StepWorker(String model) {
    this.model = model;
    thread =
        Executors.newSingleThreadExecutor(
            task -> {
              Thread made = new Thread(task, "train-" + model);
              made.setDaemon(true);
              return made;
            });
  }

  void execute(Runnable step) {
    thread.execute(step);
  }

  /**
   * Waits for the step that is under way: it still reads native memory, so not even an interrupt
   * cuts this short.
   */
  @Override
  public void close() {
    thread.shutdown();
    boolean interrupted = false;
    boolean ended = false;
    while (!ended) {
      try {
        ended = thread.awaitTermination(1, TimeUnit.MINUTES);
        if (!ended) {
          LOGGER.warn("Model {} waits for its last step to end", model);
        }
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
