package dev.freshet.core.events;

import dev.freshet.core.codec.Bytes;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/**
 * Bytes of {@link Features} and of what was served, inside records that carry a version of their
 * own.
 *
 * <pre>
 * raw:     count fields, each: count values, each: text | doubles numbers
 *          | boolean served? [ text model | text version | doubles scores ]
 * compact: count bytes | bytes | floats scores, none if nothing was served
 * </pre>
 */
public final class FeaturesCodec {

  private FeaturesCodec() {}

  /** What an impression holds besides its id and time. */
  public record Content(Features features, Served served) {}

  /** Writes the layout that suits the features. */
  public static void write(Content content, DataOutput out) throws IOException {
    if (content.features instanceof RawFeatures raw) {
      writeRaw(raw, content.served, out);
    } else if (content.features instanceof CompactFeatures compact) {
      Bytes.writeCount(out, compact.bytes().length);
      out.write(compact.bytes());
      double[] scores = content.served == null ? new double[0] : content.served.scores();
      Bytes.writeCount(out, scores.length);
      for (double score : scores) {
        out.writeFloat((float) score);
      }
    }
  }

  public static Content read(boolean compact, DataInput in) throws IOException {
    return compact ? readCompact(in) : readRaw(in);
  }

  private static void writeRaw(RawFeatures raw, Served served, DataOutput out) throws IOException {
    Bytes.writeCount(out, raw.categories().length);
    for (String[] values : raw.categories()) {
      Bytes.writeCount(out, values.length);
      for (String value : values) {
        Bytes.writeText(out, value);
      }
    }
    Bytes.writeDoubles(out, raw.numbers());
    out.writeBoolean(served != null);
    if (served != null) {
      Bytes.writeText(out, served.model());
      Bytes.writeText(out, served.version());
      Bytes.writeDoubles(out, served.scores());
    }
  }

  private static Content readRaw(DataInput in) throws IOException {
    String[][] categories = new String[Bytes.readCount(in)][];
    for (int i = 0; i < categories.length; i++) {
      categories[i] = new String[Bytes.readCount(in)];
      for (int j = 0; j < categories[i].length; j++) {
        categories[i][j] = Bytes.readText(in);
      }
    }
    RawFeatures raw = new RawFeatures(categories, Bytes.readDoubles(in));
    Served served =
        in.readBoolean()
            ? new Served(Bytes.readText(in), Bytes.readText(in), Bytes.readDoubles(in))
            : null;
    return new Content(raw, served);
  }

  private static Content readCompact(DataInput in) throws IOException {
    byte[] bytes = new byte[Bytes.readCount(in)];
    in.readFully(bytes);
    double[] scores = new double[Bytes.readCount(in)];
    for (int i = 0; i < scores.length; i++) {
      scores[i] = in.readFloat();
    }
    Served served = scores.length == 0 ? null : new Served("", "", scores);
    return new Content(new CompactFeatures(bytes), served);
  }
}
