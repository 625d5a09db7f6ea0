package dev.freshet.core.events;

import dev.freshet.core.codec.Bytes;
import dev.freshet.core.codec.Codec;
import dev.freshet.core.codec.Layout;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/**
 * Bytes of a {@link SourcePosition}, between operators and in a trainer's snapshot.
 *
 * <pre>byte version = 1 | text topic | int partition | long offset | long timestamp</pre>
 */
public final class SourcePositionCodec implements Codec<SourcePosition> {

  private static final Layout LAYOUT = new Layout("freshet.source-position", 1);

  @Override
  public Layout layout() {
    return LAYOUT;
  }

  @Override
  public void write(SourcePosition position, DataOutput out) throws IOException {
    LAYOUT.writeVersion(out);
    Bytes.writeText(out, position.topic());
    out.writeInt(position.partition());
    out.writeLong(position.offset());
    out.writeLong(position.timestamp());
  }

  @Override
  public SourcePosition read(DataInput in) throws IOException {
    LAYOUT.readVersion(in);
    return new SourcePosition(Bytes.readText(in), in.readInt(), in.readLong(), in.readLong());
  }
}
