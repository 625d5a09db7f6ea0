package dev.freshet.core.counts;

import dev.freshet.core.codec.Bytes;
import dev.freshet.core.codec.Codec;
import dev.freshet.core.codec.Layout;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/**
 * Bytes of a {@link CountMoment} in keyed state.
 *
 * <pre>
 * byte version = 1 | count impressions | count kinds, each: count events
 * </pre>
 */
public final class CountMomentCodec implements Codec<CountMoment> {

  private static final Layout LAYOUT = new Layout("freshet.count-moment", 1);

  @Override
  public Layout layout() {
    return LAYOUT;
  }

  @Override
  public void write(CountMoment moment, DataOutput out) throws IOException {
    LAYOUT.writeVersion(out);
    Bytes.writeCount(out, moment.impressions());
    Bytes.writeCount(out, moment.events().length);
    for (int events : moment.events()) {
      Bytes.writeCount(out, events);
    }
  }

  @Override
  public CountMoment read(DataInput in) throws IOException {
    LAYOUT.readVersion(in);
    int impressions = Bytes.readCount(in);
    int[] events = new int[Bytes.readCount(in)];
    for (int i = 0; i < events.length; i++) {
      events[i] = Bytes.readCount(in);
    }
    return new CountMoment(impressions, events);
  }
}
