package dev.freshet.core.snapshot;

import dev.freshet.core.codec.Bytes;
import dev.freshet.core.codec.Codec;
import dev.freshet.core.codec.Layout;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/**
 * Bytes of a {@link ModelRecord} between operators.
 *
 * <pre>
 * byte version = 1 | text key | text version | int index | int count | int length (-1: null) | bytes
 * </pre>
 */
public final class ModelRecordCodec implements Codec<ModelRecord> {

  private static final Layout LAYOUT = new Layout("freshet.model-record", 1);

  @Override
  public Layout layout() {
    return LAYOUT;
  }

  @Override
  public void write(ModelRecord record, DataOutput out) throws IOException {
    LAYOUT.writeVersion(out);
    Bytes.writeText(out, record.key());
    Bytes.writeText(out, record.version());
    out.writeInt(record.index());
    out.writeInt(record.count());
    out.writeInt(record.value() == null ? -1 : record.value().length);
    if (record.value() != null) {
      out.write(record.value());
    }
  }

  @Override
  public ModelRecord read(DataInput in) throws IOException {
    LAYOUT.readVersion(in);
    String key = Bytes.readText(in);
    String version = Bytes.readText(in);
    int index = in.readInt();
    int count = in.readInt();
    int length = in.readInt();
    byte[] value = length < 0 ? null : new byte[length];
    if (value != null) {
      in.readFully(value);
    }
    return new ModelRecord(key, value, version, index, count);
  }
}
