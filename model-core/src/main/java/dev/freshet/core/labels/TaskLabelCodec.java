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
 * [ if not NONE: double value | float weight | long elapsed | long delay [ if before: double value before ] ]
 * </pre>
 *
 * Marks are the kind's high bits: 0x80 the step before did not happen, 0x40 something was taught
 * before, 0x20 and the step before had not happened then. Bytes from before a mark had a meaning
 * are read as if it had.
 */
public final class TaskLabelCodec {

  private static final LabelKind[] KINDS = LabelKind.values();
  private static final int NOT_REACHED = 0x80;
  private static final int BEFORE = 0x40;
  private static final int BEFORE_NOT_REACHED = 0x20;
  private static final int KIND = 0x1F;

  private TaskLabelCodec() {}

  public static void writeAll(TaskLabel[] labels, DataOutput out) throws IOException {
    Bytes.writeCount(out, labels.length);
    for (TaskLabel label : labels) {
      out.writeByte(label.kind().ordinal() | marks(label));
      if (label.present()) {
        out.writeDouble(label.value());
        out.writeFloat(label.weight());
        out.writeLong(label.elapsed());
        out.writeLong(label.delay());
        if (label.before() != null) {
          out.writeDouble(label.before().value());
        }
      }
    }
  }

  private static int marks(TaskLabel label) {
    if (!label.present()) {
      return 0;
    }
    int marks = label.reached() ? 0 : NOT_REACHED;
    if (label.before() != null) {
      marks |= BEFORE | (label.before().reached() ? 0 : BEFORE_NOT_REACHED);
    }
    return marks;
  }

  public static TaskLabel[] readAll(DataInput in) throws IOException {
    TaskLabel[] labels = new TaskLabel[Bytes.readCount(in)];
    for (int i = 0; i < labels.length; i++) {
      int head = in.readUnsignedByte();
      LabelKind kind = KINDS[head & KIND];
      labels[i] = kind == LabelKind.NONE ? TaskLabel.NONE : read(kind, head, in);
    }
    return labels;
  }

  private static TaskLabel read(LabelKind kind, int head, DataInput in) throws IOException {
    double value = in.readDouble();
    float weight = in.readFloat();
    long elapsed = in.readLong();
    long delay = in.readLong();
    TaskLabel.Before before =
        (head & BEFORE) == 0
            ? null
            : new TaskLabel.Before(in.readDouble(), (head & BEFORE_NOT_REACHED) == 0);
    return new TaskLabel(kind, value, weight, elapsed, delay, (head & NOT_REACHED) == 0, before);
  }
}
