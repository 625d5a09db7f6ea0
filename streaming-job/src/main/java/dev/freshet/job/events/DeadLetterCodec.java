package dev.freshet.job.events;

import dev.freshet.core.codec.Bytes;
import dev.freshet.core.codec.Codec;
import dev.freshet.core.codec.Layout;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Bytes of a {@link DeadLetter} between operators.
 *
 * <pre>
 * byte version = 4 | int key length (-1: null), key | int value length (-1: null), value
 * | text reason | text error | text kind (from version 2) | text field (from version 3)
 * | text topic | int partition | long offset | text model (from version 4)
 * </pre>
 */
public final class DeadLetterCodec implements Codec<DeadLetter> {

  private static final Layout LAYOUT = new Layout("freshet.dead-letter", 4);

  @Override
  public Layout layout() {
    return LAYOUT;
  }

  @Override
  public void write(DeadLetter letter, DataOutput out) throws IOException {
    LAYOUT.writeVersion(out);
    writeBytes(letter.key(), out);
    writeBytes(letter.value(), out);
    Bytes.writeText(out, letter.reason());
    Bytes.writeText(out, letter.error());
    Bytes.writeText(out, letter.kind());
    Bytes.writeText(out, letter.field());
    Bytes.writeText(out, letter.topic());
    out.writeInt(letter.partition());
    out.writeLong(letter.offset());
    Bytes.writeText(out, letter.model());
  }

  @Override
  public DeadLetter read(DataInput in) throws IOException {
    int version = LAYOUT.readVersion(in);
    return new DeadLetter(
        readBytes(in),
        readBytes(in),
        Bytes.readText(in),
        Bytes.readText(in),
        version < 2 ? "" : Bytes.readText(in),
        version < 3 ? "" : Bytes.readText(in),
        Bytes.readText(in),
        in.readInt(),
        in.readLong(),
        version < 4 ? "" : Bytes.readText(in));
  }

  private static void writeBytes(byte @Nullable [] bytes, DataOutput out) throws IOException {
    out.writeInt(bytes == null ? -1 : bytes.length);
    if (bytes != null) {
      out.write(bytes);
    }
  }

  private static byte @Nullable [] readBytes(DataInput in) throws IOException {
    int length = in.readInt();
    if (length < 0) {
      return null;
    }
    byte[] bytes = new byte[length];
    in.readFully(bytes);
    return bytes;
  }
}
