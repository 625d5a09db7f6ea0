package dev.freshet.core.labels;

import dev.freshet.core.codec.Bytes;
import dev.freshet.core.codec.Codec;
import dev.freshet.core.events.FeedbackCodec;
import dev.freshet.core.events.ImpressionCodec;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/**
 * Bytes of a {@link PendingImpression} in keyed state.
 *
 * <pre>
 * byte version = 1 | boolean impression? [ impression ] | count feedback, each: feedback
 * | count tasks, each: byte told | long waits until | long timer
 * </pre>
 */
public final class PendingImpressionCodec implements Codec<PendingImpression> {

  private static final int VERSION = 1;

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
    out.write(pending.told);
    out.writeLong(pending.waitsUntil);
    out.writeLong(pending.timer());
  }

  @Override
  public PendingImpression read(DataInput in) throws IOException {
    Bytes.version(in, VERSION, PendingImpression.class);
    PendingImpression pending = new PendingImpression(0);
    if (in.readBoolean()) {
      pending.impression = impressions.read(in);
    }
    int events = Bytes.readCount(in);
    for (int i = 0; i < events; i++) {
      pending.feedback.add(feedback.read(in));
    }
    pending.told = new byte[Bytes.readCount(in)];
    in.readFully(pending.told);
    pending.waitsUntil = in.readLong();
    pending.timer(in.readLong());
    return pending;
  }
}
