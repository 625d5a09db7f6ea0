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
 * byte version = 1 (raw features), 2 (compact), or with deadlines 3 (raw) and 4 (compact)
 * | text id | long event time | features and served, see {@link FeaturesCodec}
 * | [ deadlines, see {@link DeadlinesCodec} ]
 * </pre>
 */
public final class ImpressionCodec implements Codec<Impression> {

  private static final int RAW = 1;
  private static final int COMPACT = 2;
  private static final int DEADLINES = 2;

  @Override
  public void write(Impression impression, DataOutput out) throws IOException {
    boolean deadlines = !impression.deadlines().isEmpty();
    int layout = impression.features() instanceof RawFeatures ? RAW : COMPACT;
    out.writeByte(layout + (deadlines ? DEADLINES : 0));
    Bytes.writeText(out, impression.id());
    out.writeLong(impression.eventTime());
    FeaturesCodec.write(impression, out);
    if (deadlines) {
      DeadlinesCodec.write(impression, out);
    }
  }

  @Override
  public Impression read(DataInput in) throws IOException {
    int version = Bytes.version(in, COMPACT + DEADLINES, Impression.class);
    boolean deadlines = version > DEADLINES;
    String id = Bytes.readText(in);
    long time = in.readLong();
    boolean compact = version - (deadlines ? DEADLINES : 0) == COMPACT;
    Impression impression = FeaturesCodec.read(id, time, compact, in);
    return deadlines ? DeadlinesCodec.read(impression, in) : impression;
  }
}
