package dev.freshet.core.labels;

import dev.freshet.core.codec.Codec;
import dev.freshet.core.codec.Layout;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.ImpressionCodec;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/**
 * Bytes of a {@link LabeledExample}.
 *
 * <pre>byte version = 1 | impression | long emitted at | labels</pre>
 */
public final class LabeledExampleCodec implements Codec<LabeledExample> {

  private static final Layout LAYOUT = new Layout("freshet.labeled-example", 1);

  private final ImpressionCodec impressions = new ImpressionCodec();

  @Override
  public Layout layout() {
    return LAYOUT;
  }

  @Override
  public void write(LabeledExample example, DataOutput out) throws IOException {
    LAYOUT.writeVersion(out);
    impressions.write(example.impression(), out);
    out.writeLong(example.emittedAt());
    TaskLabelCodec.writeAll(example.labels(), out);
  }

  @Override
  public LabeledExample read(DataInput in) throws IOException {
    LAYOUT.readVersion(in);
    Impression impression = impressions.read(in);
    return new LabeledExample(impression, in.readLong(), TaskLabelCodec.readAll(in));
  }
}
