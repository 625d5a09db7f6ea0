package dev.freshet.core.counts;

import static java.util.Objects.requireNonNull;

import dev.freshet.core.codec.Bytes;
import dev.freshet.core.codec.Codec;
import dev.freshet.core.codec.Layout;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/**
 * Bytes of a {@link CountedImpression} in keyed state.
 *
 * <pre>
 * byte version = 1 | long until | boolean impression?
 * | [ signed shown, after until | longs keys | count tasks, each: signed end, after until ]
 * | count seen, each: count task | long hash
 * | count waiting, each: count task | signed time, after until
 * </pre>
 */
public final class CountedImpressionCodec implements Codec<CountedImpression> {

  private static final Layout LAYOUT = new Layout("freshet.counted-impression", 1);

  @Override
  public Layout layout() {
    return LAYOUT;
  }

  @Override
  public void write(CountedImpression kept, DataOutput out) throws IOException {
    LAYOUT.writeVersion(out);
    out.writeLong(kept.until);
    out.writeBoolean(kept.keys != null);
    if (kept.keys != null) {
      Bytes.writeSigned(out, kept.shown - kept.until);
      Bytes.writeLongs(out, kept.keys);
      long[] ends = requireNonNull(kept.ends, "they come with the keys");
      Bytes.writeCount(out, ends.length);
      for (long end : ends) {
        Bytes.writeSigned(out, end - kept.until);
      }
    }
    Bytes.writeCount(out, kept.seen.size());
    for (CountedImpression.Seen seen : kept.seen) {
      Bytes.writeCount(out, seen.task());
      out.writeLong(seen.hash());
    }
    Bytes.writeCount(out, kept.waiting.size());
    for (CountedImpression.Waiting event : kept.waiting) {
      Bytes.writeCount(out, event.task());
      Bytes.writeSigned(out, event.time() - kept.until);
    }
  }

  @Override
  public CountedImpression read(DataInput in) throws IOException {
    LAYOUT.readVersion(in);
    CountedImpression kept = new CountedImpression();
    kept.until = in.readLong();
    if (in.readBoolean()) {
      kept.shown = kept.until + Bytes.readSigned(in);
      kept.keys = Bytes.readLongs(in);
      kept.ends = new long[Bytes.readCount(in)];
      for (int task = 0; task < kept.ends.length; task++) {
        kept.ends[task] = kept.until + Bytes.readSigned(in);
      }
    }
    int seen = Bytes.readCount(in);
    for (int i = 0; i < seen; i++) {
      kept.seen.add(new CountedImpression.Seen(Bytes.readCount(in), in.readLong()));
    }
    int waiting = Bytes.readCount(in);
    for (int i = 0; i < waiting; i++) {
      int task = Bytes.readCount(in);
      kept.waiting.add(new CountedImpression.Waiting(task, kept.until + Bytes.readSigned(in)));
    }
    return kept;
  }
}
