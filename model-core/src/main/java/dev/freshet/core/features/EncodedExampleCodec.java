package dev.freshet.core.features;

import dev.freshet.core.codec.Bytes;
import dev.freshet.core.codec.Codec;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.labels.TaskLabelCodec;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/**
 * Bytes of an {@link EncodedExample}.
 *
 * <pre>
 * byte version = 2 | long id | text impression (from version 2) | long event time
 * | boolean holdout | longs keys
 * | count fields, each: count keys | labels | floats served
 * </pre>
 */
public final class EncodedExampleCodec implements Codec<EncodedExample> {

  private static final int VERSION = 2;

  @Override
  public void write(EncodedExample example, DataOutput out) throws IOException {
    out.writeByte(VERSION);
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
    TaskLabelCodec.writeAll(example.labels(), out);
    Bytes.writeFloats(out, example.served());
  }

  @Override
  public EncodedExample read(DataInput in) throws IOException {
    int version = Bytes.version(in, VERSION, EncodedExample.class);
    long id = in.readLong();
    String impression = version < 2 ? null : Bytes.readText(in);
    long time = in.readLong();
    boolean holdout = in.readBoolean();
    long[] keys = Bytes.readLongs(in);
    int[] starts = new int[Bytes.readCount(in) + 1];
    for (int i = 1; i < starts.length; i++) {
      starts[i] = starts[i - 1] + Bytes.readCount(in);
    }
    TaskLabel[] labels = TaskLabelCodec.readAll(in);
    float[] served = Bytes.readFloats(in);
    return impression == null
        ? new EncodedExample(id, time, holdout, keys, starts, labels, served)
        : new EncodedExample(id, impression, time, holdout, keys, starts, labels, served);
  }
}
