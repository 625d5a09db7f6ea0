package dev.freshet.core.events;

import dev.freshet.core.codec.Bytes;
import dev.freshet.core.codec.Codec;
import dev.freshet.core.codec.Layout;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/**
 * Bytes of a {@link Feedback}.
 *
 * <pre>
 * byte version = 1 | text impression | text event id | count task | long event time | double value
 * </pre>
 */
public final class FeedbackCodec implements Codec<Feedback> {

  private static final Layout LAYOUT = new Layout("freshet.feedback", 1);

  @Override
  public Layout layout() {
    return LAYOUT;
  }

  @Override
  public void write(Feedback feedback, DataOutput out) throws IOException {
    LAYOUT.writeVersion(out);
    Bytes.writeText(out, feedback.impressionId());
    Bytes.writeText(out, feedback.eventId());
    Bytes.writeCount(out, feedback.task());
    out.writeLong(feedback.eventTime());
    out.writeDouble(feedback.value());
  }

  @Override
  public Feedback read(DataInput in) throws IOException {
    LAYOUT.readVersion(in);
    return new Feedback(
        Bytes.readText(in),
        Bytes.readText(in),
        Bytes.readCount(in),
        in.readLong(),
        in.readDouble());
  }
}
