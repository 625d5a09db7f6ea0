package dev.freshet.core.labels;

import dev.freshet.core.codec.Bytes;
import dev.freshet.core.codec.Codec;
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

  private static final int VERSION = 1;

  private final ImpressionCodec impressions = new ImpressionCodec();

  @Override
  public void write(LabeledExample example, DataOutput out) throws IOException {
    out.writeByte(VERSION);
    impressions.write(example.impression(), out);
    out.writeLong(example.emittedAt());
    TaskLabelCodec.writeAll(example.labels(), out);
  }

  @Override
  public LabeledExample read(DataInput in) throws IOException {
    Bytes.version(in, VERSION, LabeledExample.class);
    Impression impression = impressions.read(in);
    return new LabeledExample(impression, in.readLong(), TaskLabelCodec.readAll(in));
  }
}
