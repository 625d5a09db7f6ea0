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
 * byte version = 1 | byte reason | text impression | text event id | int task | long time | double value
 * </pre>
 */
public final class DroppedEventCodec implements Codec<DroppedEvent> {

  private static final Layout LAYOUT = new Layout("freshet.dropped-event", 1);
  private static final DropReason[] REASONS = DropReason.values();

  @Override
  public Layout layout() {
    return LAYOUT;
  }

  @Override
  public void write(DroppedEvent event, DataOutput out) throws IOException {
    LAYOUT.writeVersion(out);
    out.writeByte(event.reason().ordinal());
    Bytes.writeText(out, event.impressionId());
    Bytes.writeText(out, event.eventId());
    out.writeInt(event.task());
    out.writeLong(event.eventTime());
    out.writeDouble(event.value());
  }

  @Override
  public DroppedEvent read(DataInput in) throws IOException {
    LAYOUT.readVersion(in);
    return new DroppedEvent(
        REASONS[in.readByte()],
        Bytes.readText(in),
        Bytes.readText(in),
        in.readInt(),
        in.readLong(),
        in.readDouble());
  }
}
