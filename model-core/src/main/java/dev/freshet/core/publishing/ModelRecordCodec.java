package dev.freshet.core.publishing;

import dev.freshet.core.codec.Bytes;
import dev.freshet.core.codec.Codec;
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

  private static final int VERSION = 1;

  @Override
  public void write(ModelRecord record, DataOutput out) throws IOException {
    out.writeByte(VERSION);
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
    Bytes.version(in, VERSION, ModelRecord.class);
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
