package dev.freshet.core.counts;

import dev.freshet.core.codec.Bytes;
import dev.freshet.core.codec.Codec;
import dev.freshet.core.codec.Layout;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/**
 * Bytes of {@link DecayedCounts} in keyed state.
 *
 * <pre>
 * byte version = 1 | long timer | count counters, each: long id | double count | long time
 * </pre>
 */
public final class DecayedCountsCodec implements Codec<DecayedCounts> {

  private static final Layout LAYOUT = new Layout("freshet.decayed-counts", 1);

  @Override
  public Layout layout() {
    return LAYOUT;
  }

  @Override
  public void write(DecayedCounts counts, DataOutput out) throws IOException {
    LAYOUT.writeVersion(out);
    out.writeLong(counts.timer());
    Bytes.writeCount(out, counts.ids.length);
    for (int i = 0; i < counts.ids.length; i++) {
      out.writeLong(counts.ids[i]);
      out.writeDouble(counts.counts[i]);
      out.writeLong(counts.times[i]);
    }
  }

  @Override
  public DecayedCounts read(DataInput in) throws IOException {
    LAYOUT.readVersion(in);
    DecayedCounts counts = new DecayedCounts();
    counts.timer(in.readLong());
    int size = Bytes.readCount(in);
    counts.ids = new long[size];
    counts.counts = new double[size];
    counts.times = new long[size];
    for (int i = 0; i < size; i++) {
      counts.ids[i] = in.readLong();
      counts.counts[i] = in.readDouble();
      counts.times[i] = in.readLong();
    }
    return counts;
  }
}
