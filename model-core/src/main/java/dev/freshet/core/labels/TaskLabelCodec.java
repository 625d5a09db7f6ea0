package dev.freshet.core.labels;

import dev.freshet.core.codec.Bytes;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/**
 * Bytes of an example's labels, inside records that carry a version of their own.
 *
 * <pre>
 * count tasks, each: byte kind [ if not NONE: double value | float weight | long elapsed | long delay ]
 * </pre>
 *
 * The kind's highest bit says that the step before did not happen. Bytes from before that bit had a
 * meaning are read as if it had.
 */
public final class TaskLabelCodec {

  private static final LabelKind[] KINDS = LabelKind.values();
  private static final int NOT_REACHED = 0x80;

  private TaskLabelCodec() {}

  public static void writeAll(TaskLabel[] labels, DataOutput out) throws IOException {
    Bytes.writeCount(out, labels.length);
    for (TaskLabel label : labels) {
      boolean flagged = label.present() && !label.reached();
      out.writeByte(label.kind().ordinal() | (flagged ? NOT_REACHED : 0));
      if (label.present()) {
        out.writeDouble(label.value());
        out.writeFloat(label.weight());
        out.writeLong(label.elapsed());
        out.writeLong(label.delay());
      }
    }
  }

  public static TaskLabel[] readAll(DataInput in) throws IOException {
    TaskLabel[] labels = new TaskLabel[Bytes.readCount(in)];
    for (int i = 0; i < labels.length; i++) {
      int head = in.readUnsignedByte();
      LabelKind kind = KINDS[head & ~NOT_REACHED];
      labels[i] =
          kind == LabelKind.NONE
              ? TaskLabel.NONE
              : new TaskLabel(
                  kind,
                  in.readDouble(),
                  in.readFloat(),
                  in.readLong(),
                  in.readLong(),
                  (head & NOT_REACHED) == 0);
    }
    return labels;
  }
}
