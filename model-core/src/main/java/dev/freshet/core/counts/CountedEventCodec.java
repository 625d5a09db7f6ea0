package dev.freshet.core.counts;

import dev.freshet.core.codec.Bytes;
import dev.freshet.core.codec.Codec;
import dev.freshet.core.codec.Layout;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/**
 * Bytes of a {@link CountedEvent} between operators.
 *
 * <pre>
 * byte version = 1 | signed event | long time | longs keys
 * </pre>
 */
public final class CountedEventCodec implements Codec<CountedEvent> {

  private static final Layout LAYOUT = new Layout("freshet.counted-event", 1);

  @Override
  public Layout layout() {
    return LAYOUT;
  }

  @Override
  public void write(CountedEvent event, DataOutput out) throws IOException {
    LAYOUT.writeVersion(out);
    Bytes.writeSigned(out, event.event());
    out.writeLong(event.time());
    Bytes.writeLongs(out, event.keys());
  }

  @Override
  public CountedEvent read(DataInput in) throws IOException {
    LAYOUT.readVersion(in);
    return new CountedEvent((int) Bytes.readSigned(in), in.readLong(), Bytes.readLongs(in));
  }
}
