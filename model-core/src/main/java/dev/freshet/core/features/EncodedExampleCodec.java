package dev.freshet.core.features;

import dev.freshet.core.codec.Bytes;
import dev.freshet.core.codec.Codec;
import dev.freshet.core.codec.Layout;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.labels.TaskLabelCodec;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/**
 * Bytes of an {@link EncodedExample}.
 *
 * <pre>
 * byte version = 2, or 3 with weights | long id | text impression (from version 2) | long event time
 * | boolean holdout | longs keys
 * | count fields, each: count keys | floats weights (from version 3) | labels | floats served
 * </pre>
 */
public final class EncodedExampleCodec implements Codec<EncodedExample> {

  private static final int PLAIN = 2;
  private static final int WEIGHTED = 3;
  private static final Layout LAYOUT = new Layout("freshet.encoded-example", WEIGHTED);

  @Override
  public Layout layout() {
    return LAYOUT;
  }

  @Override
  public void write(EncodedExample example, DataOutput out) throws IOException {
    boolean weighted = example.weights().length > 0;
    out.writeByte(weighted ? WEIGHTED : PLAIN);
    out.writeLong(example.id());
    Bytes.writeText(out, example.impression());
    out.writeLong(example.eventTime());
    out.writeBoolean(example.holdout());
    Bytes.writeLongs(out, example.keys());
    int[] starts = example.starts();
    Bytes.writeCount(out, starts.length - 1);
    for (int i = 1; i < starts.length; i++) {
      Bytes.writeCount(out, starts[i] - starts[i - 1]);
    }
    if (weighted) {
      Bytes.writeFloats(out, example.weights());
    }
    TaskLabelCodec.writeAll(example.labels(), out);
    Bytes.writeFloats(out, example.served());
  }

  @Override
  public EncodedExample read(DataInput in) throws IOException {
    int version = LAYOUT.readVersion(in);
    long id = in.readLong();
    String impression = version < 2 ? null : Bytes.readText(in);
    long time = in.readLong();
    boolean holdout = in.readBoolean();
    long[] keys = Bytes.readLongs(in);
    int[] starts = new int[Bytes.readCount(in) + 1];
    for (int i = 1; i < starts.length; i++) {
      starts[i] = starts[i - 1] + Bytes.readCount(in);
    }
    float[] weights = version < WEIGHTED ? EncodedExample.NO_WEIGHTS : Bytes.readFloats(in);
    TaskLabel[] labels = TaskLabelCodec.readAll(in);
    float[] served = Bytes.readFloats(in);
    return impression == null
        ? new EncodedExample(id, time, holdout, keys, starts, labels, served)
        : new EncodedExample(id, impression, time, holdout, keys, starts, weights, labels, served);
  }
}
