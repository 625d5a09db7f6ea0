package dev.freshet.core.events;

import dev.freshet.core.codec.Bytes;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Bytes of {@link Features} and of what was served, inside records that carry a version of their
 * own.
 *
 * <pre>
 * raw:     count fields, each: count values, each: text | doubles numbers
 *          [ only if there are any: count fields, each: floats weights ]
 *          | boolean served? [ text model | text version | doubles scores ]
 * compact: count bytes | bytes | floats scores, none if nothing was served
 * </pre>
 */
public final class FeaturesCodec {

  private FeaturesCodec() {}

  /** True if there are raw features with weights, which the record's version or marks must tell. */
  public static boolean weighted(Impression impression) {
    return impression.features() instanceof RawFeatures raw && raw.weights().length > 0;
  }

  /** Writes what an impression holds besides its id and time, in the layout of its features. */
  public static void write(Impression impression, DataOutput out) throws IOException {
    if (impression.features() instanceof RawFeatures raw) {
      writeRaw(raw, impression.served(), out);
    } else if (impression.features() instanceof CompactFeatures compact) {
      writeCompact(compact, impression.served(), out);
    }
  }

  /** The inverse of {@link #write}, for an impression whose id and time are known. */
  public static Impression read(
      String id, long time, boolean compact, boolean weighted, DataInput in) throws IOException {
    return compact ? readCompact(id, time, in) : readRaw(id, time, weighted, in);
  }

  private static void writeRaw(RawFeatures raw, @Nullable Served served, DataOutput out)
      throws IOException {
    Bytes.writeCount(out, raw.categories().length);
    for (String[] values : raw.categories()) {
      Bytes.writeCount(out, values.length);
      for (String value : values) {
        Bytes.writeText(out, value);
      }
    }
    Bytes.writeDoubles(out, raw.numbers());
    if (raw.weights().length > 0) {
      Bytes.writeCount(out, raw.weights().length);
      for (float[] weights : raw.weights()) {
        Bytes.writeFloats(out, weights);
      }
    }
    out.writeBoolean(served != null);
    if (served != null) {
      Bytes.writeText(out, served.model());
      Bytes.writeText(out, served.version());
      Bytes.writeDoubles(out, served.scores());
    }
  }

  private static void writeCompact(CompactFeatures compact, @Nullable Served served, DataOutput out)
      throws IOException {
    Bytes.writeCount(out, compact.bytes().length);
    out.write(compact.bytes());
    double[] scores = served == null ? new double[0] : served.scores();
    Bytes.writeCount(out, scores.length);
    for (double score : scores) {
      out.writeFloat((float) score);
    }
  }

  private static Impression readRaw(String id, long time, boolean weighted, DataInput in)
      throws IOException {
    String[][] categories = new String[Bytes.readCount(in)][];
    for (int i = 0; i < categories.length; i++) {
      categories[i] = new String[Bytes.readCount(in)];
      for (int j = 0; j < categories[i].length; j++) {
        categories[i][j] = Bytes.readText(in);
      }
    }
    double[] numbers = Bytes.readDoubles(in);
    float[][] weights = new float[weighted ? Bytes.readCount(in) : 0][];
    for (int i = 0; i < weights.length; i++) {
      weights[i] = Bytes.readFloats(in);
    }
    RawFeatures raw = new RawFeatures(categories, numbers, weights);
    Served served =
        in.readBoolean()
            ? new Served(Bytes.readText(in), Bytes.readText(in), Bytes.readDoubles(in))
            : null;
    return new Impression(id, time, raw, served);
  }

  private static Impression readCompact(String id, long time, DataInput in) throws IOException {
    byte[] bytes = new byte[Bytes.readCount(in)];
    in.readFully(bytes);
    double[] scores = new double[Bytes.readCount(in)];
    for (int i = 0; i < scores.length; i++) {
      scores[i] = in.readFloat();
    }
    Served served = scores.length == 0 ? null : new Served("", "", scores);
    return new Impression(id, time, new CompactFeatures(bytes), served);
  }
}
