package dev.freshet.core.training;

import dev.freshet.core.codec.Bytes;
import dev.freshet.core.codec.Layout;
import dev.freshet.core.events.SourcePosition;
import dev.freshet.core.events.SourcePositionCodec;
import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.features.EncodedExampleCodec;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;

/**
 * The bytes of a trainer in a checkpoint: restored into a fresh trainer, training goes on bit for
 * bit as if it had never stopped.
 *
 * <pre>
 * byte version = 10 | long run | trainer: counters, target scale [before version 5: double count,
 * mean, squares], [from version 9] dense optimiser's name, weights, moments, step counters,
 * embedding tables, metric windows, pending scores, [from version 2] boolean delay heads [ long
 * bounded weights | long steps | [from version 9] dense optimiser's name, weights, moments, step counters, embedding tables ], [from version
 * 3] boolean values watched [ calibration by value ], [from version 5] int batches left out in a
 * row, incidents, [from version 6] evidence,
 * [from version 7] base rates, [from version 8] first-order weights in embedding tables, [from version 9] slots of any optimiser
 * in them, [from version 10] what is known of numbers, [from version 11] shrinkages, and both
 * predictions in pending scores
 * | count pending batch, each: example | count writer state, each: int
 * | [from version 4] count positions, each: source position | long watermark
 * </pre>
 *
 * Noise needs no state: it is drawn from the seed and the step.
 */
public final class TrainerSnapshot {

  private static final Layout LAYOUT = new Layout("freshet.trainer-snapshot", 11);
  static final int WITH_HEADS = 2;
  static final int WITH_VALUES = 3;
  private static final int WITH_POSITIONS = 4;
  static final int WITH_SCALES = 5;
  static final int WITH_EVIDENCE = 6;
  static final int WITH_RATES = 7;
  static final int WITH_OPTIMIZERS = 9;
  static final int WITH_NUMBERS = 10;
  static final int WITH_SHRINKAGES = 11;
  private static final int BUFFER = 1 << 16;
  private static final EncodedExampleCodec EXAMPLES = new EncodedExampleCodec();
  private static final SourcePositionCodec POSITIONS = new SourcePositionCodec();

  private TrainerSnapshot() {}

  /**
   * What a trainer's owner keeps beside it.
   *
   * @param run id of the run that wrote the snapshot
   * @param batch examples of the batch that was not full yet
   * @param slots state of the writer of versions
   * @param sources how far the events had been read
   * @param watermark the newest that came, {@link Long#MIN_VALUE} for none
   */
  public record Surroundings(
      long run,
      List<EncodedExample> batch,
      int[] slots,
      List<SourcePosition> sources,
      long watermark) {

    /** Of a trainer whose owner keeps nothing. */
    public static Surroundings none(long run) {
      return new Surroundings(run, List.of(), new int[0], List.of(), Long.MIN_VALUE);
    }
  }

  public static void write(ModelTrainer trainer, Surroundings around, OutputStream stream)
      throws IOException {
    DataOutputStream out = new DataOutputStream(new BufferedOutputStream(stream, BUFFER));
    LAYOUT.writeVersion(out);
    out.writeLong(around.run());
    trainer.write(out);
    Bytes.writeCount(out, around.batch().size());
    for (EncodedExample example : around.batch()) {
      EXAMPLES.write(example, out);
    }
    Bytes.writeCount(out, around.slots().length);
    for (int chunks : around.slots()) {
      out.writeInt(chunks);
    }
    Bytes.writeCount(out, around.sources().size());
    for (SourcePosition source : around.sources()) {
      POSITIONS.write(source, out);
    }
    out.writeLong(around.watermark());
    out.flush();
  }

  /** Restores {@code trainer} and returns what its owner kept. */
  public static Surroundings read(ModelTrainer trainer, InputStream stream) throws IOException {
    DataInputStream in = new DataInputStream(new BufferedInputStream(stream, BUFFER));
    int version = LAYOUT.readVersion(in);
    long run = in.readLong();
    trainer.read(in, version);
    List<EncodedExample> batch = new ArrayList<>();
    int size = Bytes.readCount(in);
    for (int i = 0; i < size; i++) {
      batch.add(EXAMPLES.read(in));
    }
    int[] slots = new int[Bytes.readCount(in)];
    for (int i = 0; i < slots.length; i++) {
      slots[i] = in.readInt();
    }
    List<SourcePosition> sources = new ArrayList<>();
    int partitions = version >= WITH_POSITIONS ? Bytes.readCount(in) : 0;
    for (int i = 0; i < partitions; i++) {
      sources.add(POSITIONS.read(in));
    }
    long watermark = version >= WITH_POSITIONS ? in.readLong() : Long.MIN_VALUE;
    return new Surroundings(run, batch, slots, sources, watermark);
  }
}
