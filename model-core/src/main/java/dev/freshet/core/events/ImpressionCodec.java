package dev.freshet.core.events;

import dev.freshet.core.codec.Bytes;
import dev.freshet.core.codec.Codec;
import dev.freshet.core.codec.Layout;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/**
 * Bytes of an {@link Impression} between operators.
 *
 * <pre>
 * byte version = 1 (raw features), 2 (compact), or with deadlines 3 (raw) and 4 (compact);
 *     5 and 6 are 1 and 3 with weights
 * | text id | long event time | features and served, see {@link FeaturesCodec}
 * | [ deadlines, see {@link DeadlinesCodec} ]
 * </pre>
 */
public final class ImpressionCodec implements Codec<Impression> {

  private static final int RAW = 1;
  private static final int COMPACT = 2;
  private static final int RAW_WITH_DEADLINES = 3;
  private static final int COMPACT_WITH_DEADLINES = 4;
  private static final int WEIGHTED = 5;
  private static final int WEIGHTED_WITH_DEADLINES = 6;
  private static final Layout LAYOUT = new Layout("freshet.impression", WEIGHTED_WITH_DEADLINES);

  @Override
  public Layout layout() {
    return LAYOUT;
  }

  @Override
  public void write(Impression impression, DataOutput out) throws IOException {
    boolean deadlines = !impression.deadlines().isEmpty();
    out.writeByte(version(impression, deadlines));
    Bytes.writeText(out, impression.id());
    out.writeLong(impression.eventTime());
    FeaturesCodec.write(impression, out);
    if (deadlines) {
      DeadlinesCodec.write(impression, out);
    }
  }

  private static int version(Impression impression, boolean deadlines) {
    if (FeaturesCodec.weighted(impression)) {
      return deadlines ? WEIGHTED_WITH_DEADLINES : WEIGHTED;
    }
    if (impression.features() instanceof RawFeatures) {
      return deadlines ? RAW_WITH_DEADLINES : RAW;
    }
    return deadlines ? COMPACT_WITH_DEADLINES : COMPACT;
  }

  @Override
  public Impression read(DataInput in) throws IOException {
    int version = LAYOUT.readVersion(in);
    boolean compact = version == COMPACT || version == COMPACT_WITH_DEADLINES;
    String id = Bytes.readText(in);
    long time = in.readLong();
    Impression impression = FeaturesCodec.read(id, time, compact, version >= WEIGHTED, in);
    boolean deadlines =
        version == RAW_WITH_DEADLINES
            || version == COMPACT_WITH_DEADLINES
            || version == WEIGHTED_WITH_DEADLINES;
    return deadlines ? DeadlinesCodec.read(impression, in) : impression;
  }
}
