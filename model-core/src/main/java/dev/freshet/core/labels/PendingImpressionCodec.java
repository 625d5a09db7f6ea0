package dev.freshet.core.labels;

import dev.freshet.core.codec.Bytes;
import dev.freshet.core.codec.Codec;
import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.FeedbackCodec;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.ImpressionCodec;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Bytes of a {@link PendingImpression} in keyed state.
 *
 * <pre>
 * byte version = 2 | boolean impression? [ impression ] | count feedback, each: feedback
 * | count tasks, each: byte told [ if FIRST was: long moment ] and, marked by told's highest bit:
 *   [ boolean reached | double amount | long moment ]
 * | [ without impression: long waits until ] | long timer
 * </pre>
 *
 * Version 1 had no moments and no amounts, and always a time until which feedback waits.
 */
public final class PendingImpressionCodec implements Codec<PendingImpression> {

  private static final int VERSION = 2;
  private static final int AMOUNT = 0x80;

  private final ImpressionCodec impressions = new ImpressionCodec();
  private final FeedbackCodec feedback = new FeedbackCodec();

  @Override
  public void write(PendingImpression pending, DataOutput out) throws IOException {
    out.writeByte(VERSION);
    out.writeBoolean(pending.impression != null);
    if (pending.impression != null) {
      impressions.write(pending.impression, out);
    }
    Bytes.writeCount(out, pending.feedback.size());
    for (var event : pending.feedback) {
      feedback.write(event, out);
    }
    Bytes.writeCount(out, pending.told.length);
    for (int task = 0; task < pending.told.length; task++) {
      writeTold(pending, task, out);
    }
    if (pending.impression == null) {
      out.writeLong(pending.waitsUntil);
    }
    out.writeLong(pending.timer());
  }

  private static void writeTold(PendingImpression pending, int task, DataOutput out)
      throws IOException {
    PendingImpression.Told amount = pending.amounts[task];
    out.writeByte(pending.told[task] | (amount == null ? 0 : AMOUNT));
    if (pending.wasTold(task, LabelKind.FIRST)) {
      out.writeLong(pending.spoke[task]);
    }
    if (amount != null) {
      out.writeBoolean(amount.label().reached());
      out.writeDouble(amount.label().value());
      out.writeLong(amount.at());
    }
  }

  @Override
  public PendingImpression read(DataInput in) throws IOException {
    int version = Bytes.version(in, VERSION, PendingImpression.class);
    Impression impression = in.readBoolean() ? impressions.read(in) : null;
    List<Feedback> events = new ArrayList<>();
    int count = Bytes.readCount(in);
    for (int i = 0; i < count; i++) {
      events.add(feedback.read(in));
    }
    PendingImpression pending = new PendingImpression(Bytes.readCount(in));
    pending.impression = impression;
    pending.feedback.addAll(events);
    for (int task = 0; task < pending.told.length; task++) {
      readTold(pending, task, version, in);
    }
    if (version == 1 || impression == null) {
      pending.waitsUntil = in.readLong();
    }
    pending.timer(in.readLong());
    return pending;
  }

  private static void readTold(PendingImpression pending, int task, int version, DataInput in)
      throws IOException {
    int told = in.readUnsignedByte();
    pending.told[task] = (byte) (told & ~AMOUNT);
    if (version > 1) {
      if (pending.wasTold(task, LabelKind.FIRST)) {
        pending.spoke[task] = in.readLong();
      }
      if ((told & AMOUNT) != 0) {
        boolean reached = in.readBoolean();
        TaskLabel.Before before = new TaskLabel.Before(in.readDouble(), reached);
        pending.amounts[task] = new PendingImpression.Told(before, in.readLong());
      }
    }
  }
}
