package dev.freshet.training.reproduction;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.freshet.core.snapshot.Manifest;
import dev.freshet.core.snapshot.ModelVersion;
import dev.freshet.training.ModelTrainer;
import dev.freshet.training.publishing.Lineage;
import dev.freshet.training.publishing.SnapshotWriter;
import dev.freshet.training.reproduction.TrainingLog.Entry;
import dev.freshet.training.reproduction.TrainingLog.Kind;
import dev.freshet.training.reproduction.TrainingLog.Mark;
import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Makes versions again from a {@link TrainingLog}: restores the training state of the base, learns
 * the same batches, and publishes at the same places. The bytes must be those of the first time.
 *
 * <p>The log is gone through twice: {@link #seen} for every entry's mark, then {@link #learn} for
 * every entry.
 */
public final class Reproduction {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final List<Manifest> chain;
  private final ModelTrainer trainer;
  private final SnapshotWriter writer;
  private final Consumer<Result> out;

  /** Entries that led to the version, by their place in the log; what was undone is not among. */
  private final List<Place> places = new ArrayList<>();

  /** Entries that are done again; null before the plan. */
  private @Nullable BitSet wanted;

  private int marks;
  private int entries;
  private int next;
  private long batches;

  private record Place(Mark mark, int number) {}

  /** A version, as it was published and as it was made again. */
  public record Result(Manifest published, Manifest made) {

    /** Keys of the manifests that differ, but for {@code code}: if it worked, none. */
    public List<String> differences() throws IOException {
      ObjectNode was = (ObjectNode) JSON.readTree(published.toJson());
      ObjectNode is = (ObjectNode) JSON.readTree(made.toJson());
      TreeSet<String> keys = new TreeSet<>();
      was.fieldNames().forEachRemaining(keys::add);
      is.fieldNames().forEachRemaining(keys::add);
      keys.removeIf(key -> key.equals("code") || equal(was.get(key), is.get(key)));
      return List.copyOf(keys);
    }

    private static boolean equal(JsonNode one, JsonNode other) {
      return one != null && one.equals(other);
    }
  }

  /**
   * @param chain manifests of a base and of the deltas on top of it, or of a base alone
   * @param trainer fresh
   * @param writer fresh
   * @param out takes each version of the chain as soon as it is made
   */
  public Reproduction(
      List<Manifest> chain, ModelTrainer trainer, SnapshotWriter writer, Consumer<Result> out) {
    this.chain = List.copyOf(chain);
    this.trainer = trainer;
    this.writer = writer;
    this.out = out;
  }

  /** Takes the mark of the log's next entry. */
  public void seen(Mark mark) {
    int number = marks++;
    ModelVersion last = version(chain.size() - 1);
    if (mark.run() > last.run()) {
      return;
    }
    // A later run goes back to a checkpoint: what was learnt after it was undone.
    while (!places.isEmpty() && undoes(mark, places.get(places.size() - 1).mark())) {
      places.remove(places.size() - 1);
    }
    if (mark.examples() < chain.get(chain.size() - 1).examples()) {
      places.add(new Place(mark, number));
    }
  }

  private static boolean undoes(Mark later, Mark earlier) {
    return later.run() > earlier.run()
        && (earlier.kind() == Kind.BATCH
            ? earlier.examples() >= later.examples()
            : earlier.examples() > later.examples());
  }

  private ModelVersion version(int link) {
    return ModelVersion.parse(chain.get(link).version());
  }

  /**
   * All marks have been seen: where to begin. A delta's base is its own state; a base is made from
   * the state before it, or from the very first example.
   *
   * @return examples that the trainer starts with; empty if the log does not reach back that far
   */
  public Optional<Long> plan() {
    long limit = chain.size() > 1 ? chain.get(0).examples() : chain.get(0).examples() - 1;
    int start = -1;
    for (int i = 0; i < places.size(); i++) {
      Mark mark = places.get(i).mark();
      if (mark.kind() == Kind.STATE && mark.examples() <= limit) {
        start = i;
      }
    }
    if (start < 0 && (places.isEmpty() || places.get(0).mark().examples() > 0)) {
      return Optional.empty();
    }
    BitSet again = new BitSet();
    for (int i = Math.max(start, 0); i < places.size(); i++) {
      if (i == start || places.get(i).mark().kind() == Kind.BATCH) {
        again.set(places.get(i).number());
      }
    }
    wanted = again;
    return Optional.of(start < 0 ? 0 : places.get(start).mark().examples());
  }

  /**
   * Takes the log's next entry.
   *
   * @throws IOException if the log has a gap
   */
  public void learn(Entry entry) throws IOException {
    if (!requireNonNull(wanted, "plan comes first").get(entries++)) {
      return;
    }
    if (entry.mark().kind() == Kind.STATE) {
      entry.restore(trainer);
    } else {
      if (entry.mark().examples() != trainer.examples()) {
        throw new IOException(
            "the log goes on at example "
                + entry.mark().examples()
                + ", training had seen "
                + trainer.examples());
      }
      trainer.process(entry.batch());
      batches++;
    }
    while (!done() && chain.get(next).examples() == trainer.examples()) {
      publish(chain.get(next));
      next++;
    }
  }

  private void publish(Manifest published) {
    Manifest made =
        writer.write(
            trainer,
            new ModelVersion(ModelVersion.parse(published.version()).run(), trainer.steps()),
            new Lineage(
                published.sources() == null ? List.of() : published.sources(),
                published.watermark()),
            published.publishedAt(),
            record -> {});
    out.accept(new Result(published, made));
  }

  /** True if every version of the chain was made again. */
  public boolean done() {
    return next == chain.size();
  }

  /** Batches learnt. */
  public long batches() {
    return batches;
  }
}
