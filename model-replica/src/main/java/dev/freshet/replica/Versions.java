package dev.freshet.replica;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.publishing.ModelRecord;
import dev.freshet.core.publishing.SnapshotAssembler;
import dev.freshet.core.publishing.SnapshotAssembler.BrokenSnapshotException;
import dev.freshet.core.publishing.SnapshotAssembler.Snapshot;
import java.io.IOException;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/** Reads the versions of a model that are whole on the topic, oldest first. */
public final class Versions {

  private static final Duration POLL = Duration.ofMillis(250);

  private Versions() {}

  /**
   * Hands every whole version to {@code action}; what compaction left of older ones is passed over.
   *
   * @param goOn asked whenever the end of the topic is reached
   * @throws IOException if a manifest is of a format that is unknown here
   */
  public static void read(
      Pipeline pipeline, String model, BooleanSupplier goOn, Consumer<Snapshot> action)
      throws IOException {
    SnapshotAssembler assembler = new SnapshotAssembler();
    try (ModelTopic topic = new ModelTopic(pipeline, model)) {
      boolean reading = true;
      while (reading) {
        for (ModelRecord record : topic.poll(POLL)) {
          try {
            assembler.accept(record).ifPresent(action);
          } catch (BrokenSnapshotException compacted) {
            continue;
          }
        }
        reading = !topic.atEnd() || goOn.getAsBoolean();
      }
    }
  }
}
