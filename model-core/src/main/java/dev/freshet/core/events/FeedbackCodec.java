package dev.freshet.core.events;

import dev.freshet.core.codec.Bytes;
import dev.freshet.core.codec.Codec;
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

  private static final int VERSION = 1;

  @Override
  public void write(Feedback feedback, DataOutput out) throws IOException {
    out.writeByte(VERSION);
    Bytes.writeText(out, feedback.impressionId());
    Bytes.writeText(out, feedback.eventId());
    Bytes.writeCount(out, feedback.task());
    out.writeLong(feedback.eventTime());
    out.writeDouble(feedback.value());
  }

  @Override
  public Feedback read(DataInput in) throws IOException {
    Bytes.version(in, VERSION, Feedback.class);
    return new Feedback(
        Bytes.readText(in),
        Bytes.readText(in),
        Bytes.readCount(in),
        in.readLong(),
        in.readDouble());
  }
}
