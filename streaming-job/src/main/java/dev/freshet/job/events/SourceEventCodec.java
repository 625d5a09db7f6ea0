package dev.freshet.job.events;

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
 * byte version = 3 | byte what = 0 | dead letter | long event time | source position
 *                             = 1 | event       |
 *                             = 2 |             |
 * </pre>
 *
 * In version 2 nothing was passed over, which is 2. Version 1 had no version.
 */
public final class SourceEventCodec<T extends Serializable> implements Codec<SourceEvent<T>> {

  private static final Layout LAYOUT = new Layout("freshet.source-event", 3);

  private static final int LETTER = 0;
  private static final int EVENT = 1;
  private static final int PASSED_OVER = 2;

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
    if (value.event() != null) {
      out.writeByte(EVENT);
      events.write(value.event(), out);
    } else if (value.rejected() != null) {
      out.writeByte(LETTER);
      letters.write(value.rejected(), out);
    } else {
      out.writeByte(PASSED_OVER);
    }
    out.writeLong(value.eventTime());
    positions.write(value.position(), out);
  }

  @Override
  public SourceEvent<T> read(DataInput in) throws IOException {
    int first = in.readByte();
    int what = first == LETTER || first == EVENT ? first : what(first, in);
    T event = what == EVENT ? events.read(in) : null;
    DeadLetter letter = what == LETTER ? letters.read(in) : null;
    return new SourceEvent<>(event, in.readLong(), letter, positions.read(in));
  }

  private static int what(int version, DataInput in) throws IOException {
    LAYOUT.check(version);
    return in.readByte();
  }
}
