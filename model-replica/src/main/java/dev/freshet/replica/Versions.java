package dev.freshet.replica;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.snapshot.Manifest;
import dev.freshet.core.snapshot.ModelRecord;
import dev.freshet.core.snapshot.SnapshotAssembler;
import dev.freshet.core.snapshot.SnapshotAssembler.BrokenSnapshotException;
import dev.freshet.core.snapshot.SnapshotAssembler.Snapshot;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Reads the versions of a model that are whole on the topic, oldest first. */
public final class Versions {

  private static final Duration POLL = Duration.ofMillis(250);

  private Versions() {}

  /**
   * A version without any other.
   *
   * @param base all weights as one file, 32-bit floats
   * @param graph script and dense weights, as {@link dev.freshet.core.network.Network#writeGraph}
   *     writes them
   */
  public record Whole(Snapshot base, byte[] graph) {}

  /**
   * A version as a base, put together from the chain of deltas that leads to it if it is one.
   *
   * @param version null for the newest
   * @return empty if the topic does not hold it, or no longer the base that it builds on
   */
  public static Optional<Whole> whole(Pipeline pipeline, String model, @Nullable String version)
      throws IOException {
    Optional<Chain> found = find(pipeline, model, version);
    if (found.isEmpty()) {
      return Optional.empty();
    }
    LoadedModel loaded = found.get().load(pipeline.context(pipeline.model(model)));
    try {
      return Optional.of(new Whole(loaded.asBase(), loaded.graph()));
    } finally {
      loaded.release();
    }
  }

  /**
   * Manifests of all that a version is put together from: its base, then the deltas up to it.
   *
   * @param version null for the newest
   * @return empty if the topic does not hold all of it
   */
  public static List<Manifest> chain(Pipeline pipeline, String model, @Nullable String version)
      throws IOException {
    return find(pipeline, model, version).map(Chain::manifests).orElse(List.of());
  }

  private static Optional<Chain> find(Pipeline pipeline, String model, @Nullable String version)
      throws IOException {
    Chain chain = new Chain();
    @Nullable Chain[] found = {null};
    read(
        pipeline,
        model,
        () -> false,
        snapshot -> {
          boolean linked = chain.add(snapshot);
          if (linked && (version == null || version.equals(snapshot.manifest().version()))) {
            found[0] = chain.copy();
          }
        });
    return Optional.ofNullable(found[0]);
  }

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
