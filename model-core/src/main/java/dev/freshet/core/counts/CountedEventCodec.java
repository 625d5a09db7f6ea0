package dev.freshet.core.counts;

import dev.freshet.core.codec.Bytes;
import dev.freshet.core.codec.Codec;
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

  private static final int VERSION = 1;

  @Override
  public void write(CountedEvent event, DataOutput out) throws IOException {
    out.writeByte(VERSION);
    Bytes.writeSigned(out, event.event());
    out.writeLong(event.time());
    Bytes.writeLongs(out, event.keys());
  }

  @Override
  public CountedEvent read(DataInput in) throws IOException {
    Bytes.version(in, VERSION, CountedEvent.class);
    return new CountedEvent((int) Bytes.readSigned(in), in.readLong(), Bytes.readLongs(in));
  }
}
