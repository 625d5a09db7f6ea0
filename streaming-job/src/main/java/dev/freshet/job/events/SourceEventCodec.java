package dev.freshet.job.events;

import dev.freshet.core.codec.Codec;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.io.Serializable;

/**
 * Bytes of a {@link SourceEvent}, for a source that is not chained to the step behind it.
 *
 * <pre>boolean event? | event, or dead letter | long event time</pre>
 */
public final class SourceEventCodec<T extends Serializable> implements Codec<SourceEvent<T>> {

  private final Codec<T> events;
  private final DeadLetterCodec letters = new DeadLetterCodec();

  public SourceEventCodec(Codec<T> events) {
    this.events = events;
  }

  @Override
  public void write(SourceEvent<T> value, DataOutput out) throws IOException {
    out.writeBoolean(value.event() != null);
    if (value.event() != null) {
      events.write(value.event(), out);
    } else {
      letters.write(value.rejected(), out);
    }
    out.writeLong(value.eventTime());
  }

  @Override
  public SourceEvent<T> read(DataInput in) throws IOException {
    if (in.readBoolean()) {
      return new SourceEvent<>(events.read(in), in.readLong(), null);
    }
    DeadLetter letter = letters.read(in);
    return new SourceEvent<>(null, in.readLong(), letter);
  }
}
