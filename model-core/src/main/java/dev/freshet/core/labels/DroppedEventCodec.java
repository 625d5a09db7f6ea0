package dev.freshet.core.labels;

import dev.freshet.core.codec.Bytes;
import dev.freshet.core.codec.Codec;
import dev.freshet.core.codec.Layout;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/**
 * Bytes of a {@link DroppedEvent}.
 *
 * <pre>
 * byte version = 2 | byte reason | text impression | text event id | int task | long time | double value
 *   | long early
 * </pre>
 *
 * Version 1, in which events are written that were not early, ends with the value.
 */
public final class DroppedEventCodec implements Codec<DroppedEvent> {

  private static final int NOT_EARLY = 1;
  private static final int VERSION = 2;
  private static final Layout LAYOUT = new Layout("freshet.dropped-event", VERSION);
  private static final DropReason[] REASONS = DropReason.values();

  @Override
  public Layout layout() {
    return LAYOUT;
  }

  @Override
  public void write(DroppedEvent event, DataOutput out) throws IOException {
    out.writeByte(event.early() == 0 ? NOT_EARLY : VERSION);
    out.writeByte(event.reason().ordinal());
    Bytes.writeText(out, event.impressionId());
    Bytes.writeText(out, event.eventId());
    out.writeInt(event.task());
    out.writeLong(event.eventTime());
    out.writeDouble(event.value());
    if (event.early() != 0) {
      out.writeLong(event.early());
    }
  }

  @Override
  public DroppedEvent read(DataInput in) throws IOException {
    int version = LAYOUT.readVersion(in);
    return new DroppedEvent(
        REASONS[in.readByte()],
        Bytes.readText(in),
        Bytes.readText(in),
        in.readInt(),
        in.readLong(),
        in.readDouble(),
        version == NOT_EARLY ? 0 : in.readLong());
  }
}
