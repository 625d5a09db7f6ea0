package dev.freshet.job.events;

import static java.util.Objects.requireNonNull;

import dev.freshet.core.codec.Codec;
import dev.freshet.core.codec.Layout;
import dev.freshet.core.events.SourcePositionCodec;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.io.Serializable;

/**
 * Bytes of a {@link SourceEvent}, for a source that is not chained to the step behind it.
 *
 * <pre>
 * byte version = 2 | boolean event? | event, or dead letter | long event time | source position
 * </pre>
 *
 * Version 1 had no version: it began with the boolean.
 */
public final class SourceEventCodec<T extends Serializable> implements Codec<SourceEvent<T>> {

  private static final Layout LAYOUT = new Layout("freshet.source-event", 2);

  private final Codec<T> events;
  private final DeadLetterCodec letters = new DeadLetterCodec();
  private final SourcePositionCodec positions = new SourcePositionCodec();

  public SourceEventCodec(Codec<T> events) {
    this.events = events;
  }

  @Override
  public Layout layout() {
    return LAYOUT;
  }

  @Override
  public void write(SourceEvent<T> value, DataOutput out) throws IOException {
    LAYOUT.writeVersion(out);
    out.writeBoolean(value.event() != null);
    if (value.event() != null) {
      events.write(value.event(), out);
    } else {
      letters.write(requireNonNull(value.rejected()), out);
    }
    out.writeLong(value.eventTime());
    positions.write(value.position(), out);
  }

  @Override
  public SourceEvent<T> read(DataInput in) throws IOException {
    int first = in.readByte();
    boolean accepted = first == 0 || first == 1 ? first == 1 : accepted(first, in);
    T event = accepted ? events.read(in) : null;
    DeadLetter letter = accepted ? null : letters.read(in);
    return new SourceEvent<>(event, in.readLong(), letter, positions.read(in));
  }

  private static boolean accepted(int version, DataInput in) throws IOException {
    LAYOUT.check(version);
    return in.readBoolean();
  }
}
