package dev.freshet.training.reproduction;

import dev.freshet.core.codec.Bytes;
import dev.freshet.core.codec.Layout;
import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.features.EncodedExampleCodec;
import dev.freshet.core.settings.ByteSize;
import dev.freshet.core.snapshot.ModelRecord;
import dev.freshet.core.snapshot.ModelVersion;
import dev.freshet.training.ModelTrainer;
import dev.freshet.training.TrainerSnapshot;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Log of all that a trainer did, so that its versions can be made again: every batch, composed and
 * ordered as it was learnt, and with each base the training state.
 *
 * <p>Each entry is one or more {@link ModelRecord}s: key {@code model/batch} or {@code
 * model/state}, version {@code run-examples}, where examples is how many the trainer had seen
 * before the batch, or by the state; an entry that is larger than a chunk is cut, index and count
 * say how.
 *
 * <pre>
 * batch: header of {@link Layout}, version 2; or byte version = 1 | count examples, each: encoded example
 * state: a {@link TrainerSnapshot} without pending batch
 * </pre>
 */
public final class TrainingLog {

  private static final Layout LAYOUT = new Layout("freshet.training-log-batch", 2);
  private static final int LAST_BARE = 1;
  private static final EncodedExampleCodec EXAMPLES = new EncodedExampleCodec();

  private final String model;
  private final int chunk;

  public TrainingLog(String model, ByteSize chunk) {
    this.model = model;
    this.chunk = (int) chunk.bytes();
  }

  /** Kinds of entries. */
  public enum Kind {
    BATCH,
    STATE;

    private static Kind of(ModelRecord record) {
      return record.key().endsWith("/state") ? STATE : BATCH;
    }

    private String key(String model) {
      return model + (this == STATE ? "/state" : "/batch");
    }
  }

  /**
   * Where an entry is.
   *
   * @param run of the trainer
   * @param examples seen before a batch, or by a state
   */
  public record Mark(Kind kind, long run, long examples) {

    /** The mark of the entry that a record is the first piece of. */
    public static Optional<Mark> startingAt(ModelRecord record) {
      if (record.index() != 0) {
        return Optional.empty();
      }
      ModelVersion at = ModelVersion.parse(record.version());
      return Optional.of(new Mark(Kind.of(record), at.run(), at.step()));
    }
  }

  /** One entry, whole. */
  public record Entry(Mark mark, byte[] bytes) {

    /** The examples of a batch. */
    public List<EncodedExample> batch() throws IOException {
      DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes));
      LAYOUT.readHeader(in, LAST_BARE);
      List<EncodedExample> examples = new ArrayList<>();
      int count = Bytes.readCount(in);
      for (int i = 0; i < count; i++) {
        examples.add(EXAMPLES.read(in));
      }
      return examples;
    }

    /** Puts a state into a fresh trainer. */
    public void restore(ModelTrainer trainer) throws IOException {
      TrainerSnapshot.read(trainer, new ByteArrayInputStream(bytes));
    }
  }

  /**
   * A batch that is about to be learnt.
   *
   * @param seen examples that the trainer has seen before it
   */
  public void batch(long run, long seen, List<EncodedExample> batch, Consumer<ModelRecord> out) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream to = new DataOutputStream(bytes);
    try {
      LAYOUT.writeHeader(to);
      Bytes.writeCount(to, batch.size());
      for (EncodedExample example : batch) {
        EXAMPLES.write(example, to);
      }
    } catch (IOException e) {
      throw new IllegalStateException("memory takes every byte", e);
    }
    write(new Mark(Kind.BATCH, run, seen), bytes.toByteArray(), out);
  }

  /** The training state, between two batches. */
  public void state(long run, ModelTrainer trainer, Consumer<ModelRecord> out) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try {
      TrainerSnapshot.write(trainer, TrainerSnapshot.Surroundings.none(run), bytes);
    } catch (IOException e) {
      throw new IllegalStateException("memory takes every byte", e);
    }
    write(new Mark(Kind.STATE, run, trainer.examples()), bytes.toByteArray(), out);
  }

  private void write(Mark mark, byte[] whole, Consumer<ModelRecord> out) {
    String at = new ModelVersion(mark.run(), mark.examples()).toString();
    int count = (whole.length + chunk - 1) / chunk;
    for (int i = 0; i < count; i++) {
      byte[] piece = Arrays.copyOfRange(whole, i * chunk, Math.min(whole.length, (i + 1) * chunk));
      out.accept(new ModelRecord(mark.kind().key(model), piece, at, i, count));
    }
  }

  /** Puts entries together again. */
  public static final class Reader {

    private final ByteArrayOutputStream pieces = new ByteArrayOutputStream();
    private int next;

    /**
     * Takes the next message of the log.
     *
     * @return an entry, if the message completes one; of one whose first pieces are past the
     *     topic's retention nothing
     */
    public Optional<Entry> accept(ModelRecord record) {
      if (record.index() == 0) {
        pieces.reset();
        next = 0;
      }
      if (record.index() != next) {
        return Optional.empty();
      }
      pieces.writeBytes(record.value());
      next++;
      if (next < record.count()) {
        return Optional.empty();
      }
      ModelVersion at = ModelVersion.parse(record.version());
      return Optional.of(
          new Entry(new Mark(Kind.of(record), at.run(), at.step()), pieces.toByteArray()));
    }
  }
}
