package dev.freshet.core.labels;

import dev.freshet.core.codec.Bytes;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/**
 * Bytes of an example's labels, inside records that carry a version of their own.
 *
 * <pre>
 * count tasks, each: byte kind and marks
 * [ if not NONE: double value | float weight | long elapsed | long delay [ if changes: count changes ] ]
 * </pre>
 *
 * Marks are the kind's high bits: 0x80 the step before did not happen, 0x40 there were changes,
 * 0x20 the first event came after the first record. Bytes from before a mark had a meaning are read
 * as if it had.
 */
public final class TaskLabelCodec {

  private static final LabelKind[] KINDS = LabelKind.values();
  private static final int NOT_REACHED = 0x80;
  private static final int CHANGES = 0x40;
  private static final int LATE = 0x20;
  private static final int KIND = 0x1F;

  private TaskLabelCodec() {}

  public static void writeAll(TaskLabel[] labels, DataOutput out) throws IOException {
    Bytes.writeCount(out, labels.length);
    for (TaskLabel label : labels) {
      if (!label.present()) {
        out.writeByte(label.kind().ordinal());
        continue;
      }
      int marks =
          (label.reached() ? 0 : NOT_REACHED)
              | (label.changes() > 0 ? CHANGES : 0)
              | (label.late() ? LATE : 0);
      out.writeByte(label.kind().ordinal() | marks);
      out.writeDouble(label.value());
      out.writeFloat(label.weight());
      out.writeLong(label.elapsed());
      out.writeLong(label.delay());
      if (label.changes() > 0) {
        Bytes.writeCount(out, label.changes());
      }
    }
  }

  public static TaskLabel[] readAll(DataInput in) throws IOException {
    TaskLabel[] labels = new TaskLabel[Bytes.readCount(in)];
    for (int i = 0; i < labels.length; i++) {
      int head = in.readUnsignedByte();
      LabelKind kind = KINDS[head & KIND];
      labels[i] =
          kind == LabelKind.NONE
              ? TaskLabel.NONE
              : new TaskLabel(
                  kind,
                  in.readDouble(),
                  in.readFloat(),
                  in.readLong(),
                  in.readLong(),
                  (head & NOT_REACHED) == 0,
                  (head & LATE) != 0,
                  (head & CHANGES) == 0 ? 0 : Bytes.readCount(in));
    }
    return labels;
  }
}
