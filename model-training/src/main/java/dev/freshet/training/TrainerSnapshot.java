package dev.freshet.training;

import dev.freshet.core.codec.Bytes;
import dev.freshet.core.codec.Layout;
import dev.freshet.core.codec.LayoutException;
import dev.freshet.core.events.SourcePosition;
import dev.freshet.core.events.SourcePositionCodec;
import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.features.EncodedExampleCodec;
import dev.freshet.training.rows.RowLog;
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
 * header of version 14, see {@link Layout} (up to version 11: byte version) | long run
 * | [from 14] boolean rows are in it | trainer: counters, target scale (before version 5: double count, mean, squares),
 *     [from 9] dense optimiser's name, weights, moments, step counters, embedding tables (first-order
 *     weights in them from 8, slots of any optimiser from 9), metric windows (by name from 13), pending scores (both
 *     predictions in them from 11),
 *     [from 2] boolean delay heads [ long bounded weights | long steps | [from 9] dense optimiser's
 *     name, weights, moments, step counters, embedding tables ],
 *     [from 3] boolean values watched [ calibration by value ],
 *     [from 5] int batches left out in a row, incidents, [from 6] evidence, [from 7] base rates,
 *     [from 10] what is known of numbers, [from 11] shrinkages
 * | count pending batch, each: example | count writer state, each: int
 * | [from 4] count positions, each: source position | long watermark
 * </pre>
 *
 * Without rows there is only the head of each embedding table, and its rows are in a {@link
 * RowLog}. Noise needs no state: it is drawn from the seed and the step.
 */
public final class TrainerSnapshot {

  private static final Layout LAYOUT = new Layout("freshet.trainer-snapshot", 14);
  static final int WITH_HEADS = 2;
  static final int WITH_VALUES = 3;
  private static final int WITH_POSITIONS = 4;
  static final int WITH_SCALES = 5;
  static final int WITH_EVIDENCE = 6;
  static final int WITH_RATES = 7;
  static final int WITH_OPTIMIZERS = 9;
  static final int WITH_NUMBERS = 10;
  static final int WITH_SHRINKAGES = 11;
  static final int WITH_STATISTICS = 13;
  private static final int WITH_PLACE_OF_ROWS = 14;
  private static final int LAST_BARE = 11;
  private static final int BUFFER = 1 << 16;
  private static final EncodedExampleCodec EXAMPLES = new EncodedExampleCodec();
  private static final SourcePositionCodec POSITIONS = new SourcePositionCodec();

  private TrainerSnapshot() {}

  /**
   * State that a trainer's owner keeps beside it.
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
    write(trainer, around, stream, true);
  }

  /** As {@link #write}, without the rows, which the owner of {@link RowLog} keeps. */
  public static void writeWithoutRows(
      ModelTrainer trainer, Surroundings around, OutputStream stream) throws IOException {
    write(trainer, around, stream, false);
  }

  private static void write(
      ModelTrainer trainer, Surroundings around, OutputStream stream, boolean rows)
      throws IOException {
    DataOutputStream out = new DataOutputStream(new BufferedOutputStream(stream, BUFFER));
    LAYOUT.writeHeader(out);
    out.writeLong(around.run());
    out.writeBoolean(rows);
    trainer.write(out, rows);
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

  /**
   * Restores {@code trainer} and returns what its owner kept. If the rows are elsewhere, {@link
   * RowLog#restore} has to follow.
   *
   * @throws LayoutException if the bytes are of a version that this code does not read
   * @throws IOException if they are something else, or of a trainer of another shape
   */
  public static Surroundings read(ModelTrainer trainer, InputStream stream) throws IOException {
    DataInputStream in = new DataInputStream(new BufferedInputStream(stream, BUFFER));
    int version = LAYOUT.readHeader(in, LAST_BARE);
    long run = in.readLong();
    boolean rows = version < WITH_PLACE_OF_ROWS || in.readBoolean();
    trainer.read(in, version, rows);
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
