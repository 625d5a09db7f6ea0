package dev.freshet.core.events;

import dev.freshet.core.codec.Bytes;
import dev.freshet.core.codec.Codec;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/**
 * Bytes of an {@link Impression} between operators.
 *
 * <pre>
 * byte version = 1 (raw features) or 2 (compact) | text id | long event time
 * | features and served, see {@link FeaturesCodec}
 * </pre>
 */
public final class ImpressionCodec implements Codec<Impression> {

  private static final int RAW = 1;
  private static final int COMPACT = 2;

  @Override
  public void write(Impression impression, DataOutput out) throws IOException {
    out.writeByte(impression.features() instanceof RawFeatures ? RAW : COMPACT);
    Bytes.writeText(out, impression.id());
    out.writeLong(impression.eventTime());
    FeaturesCodec.write(impression, out);
  }

  @Override
  public Impression read(DataInput in) throws IOException {
    int version = Bytes.version(in, COMPACT, Impression.class);
    String id = Bytes.readText(in);
    long time = in.readLong();
    return FeaturesCodec.read(id, time, version == COMPACT, in);
  }
}
