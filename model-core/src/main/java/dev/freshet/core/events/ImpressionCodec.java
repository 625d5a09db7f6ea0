package dev.freshet.core.events;

import dev.freshet.core.codec.Bytes;
import dev.freshet.core.codec.Codec;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/**
 * Bytes of an {@link Impression}, between operators and in keyed state.
 *
 * <pre>
 * byte version = 1 | text id | long event time
 * | count fields, each: count values, each: text | doubles numbers
 * | boolean served? [ text model | text version | doubles scores ]
 * </pre>
 */
public final class ImpressionCodec implements Codec<Impression> {

  private static final int VERSION = 1;

  @Override
  public void write(Impression impression, DataOutput out) throws IOException {
    out.writeByte(VERSION);
    Bytes.writeText(out, impression.id());
    out.writeLong(impression.eventTime());
    String[][] categories = impression.features().categories();
    Bytes.writeCount(out, categories.length);
    for (String[] values : categories) {
      Bytes.writeCount(out, values.length);
      for (String value : values) {
        Bytes.writeText(out, value);
      }
    }
    Bytes.writeDoubles(out, impression.features().numbers());
    writeServed(impression.served(), out);
  }

  @Override
  public Impression read(DataInput in) throws IOException {
    Bytes.version(in, VERSION, Impression.class);
    String id = Bytes.readText(in);
    long time = in.readLong();
    String[][] categories = new String[Bytes.readCount(in)][];
    for (int i = 0; i < categories.length; i++) {
      categories[i] = new String[Bytes.readCount(in)];
      for (int j = 0; j < categories[i].length; j++) {
        categories[i][j] = Bytes.readText(in);
      }
    }
    double[] numbers = Bytes.readDoubles(in);
    return new Impression(id, time, new RawFeatures(categories, numbers), readServed(in));
  }

  private static void writeServed(Served served, DataOutput out) throws IOException {
    out.writeBoolean(served != null);
    if (served != null) {
      Bytes.writeText(out, served.model());
      Bytes.writeText(out, served.version());
      Bytes.writeDoubles(out, served.scores());
    }
  }

  private static Served readServed(DataInput in) throws IOException {
    return in.readBoolean()
        ? new Served(Bytes.readText(in), Bytes.readText(in), Bytes.readDoubles(in))
        : null;
  }
}
