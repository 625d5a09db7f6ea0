package dev.freshet.core.events;

import dev.freshet.core.codec.Bytes;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Bytes of an impression's deadlines, inside records that carry a version of their own.
 *
 * <pre>
 * count tasks, each: byte kind
 *   | [ AT: signed milliseconds since the impression ] [ AFTER: signed milliseconds ] [ INVALID: text ]
 * </pre>
 */
public final class DeadlinesCodec {

  private static final Deadline.Kind[] KINDS = Deadline.Kind.values();

  private DeadlinesCodec() {}

  public static void write(Impression impression, DataOutput out) throws IOException {
    Bytes.writeCount(out, impression.deadlines().size());
    for (Deadline deadline : impression.deadlines()) {
      out.writeByte(deadline.kind().ordinal());
      switch (deadline.kind()) {
        case AT -> Bytes.writeSigned(out, deadline.millis() - impression.eventTime());
        case AFTER -> Bytes.writeSigned(out, deadline.millis());
        case INVALID -> Bytes.writeText(out, deadline.refused());
        case ABSENT -> {}
      }
    }
  }

  /** The impression, whose deadlines come next, with them. */
  public static Impression read(Impression impression, DataInput in) throws IOException {
    int count = Bytes.readCount(in);
    List<Deadline> deadlines = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      deadlines.add(
          switch (KINDS[in.readUnsignedByte()]) {
            case AT -> Deadline.at(impression.eventTime() + Bytes.readSigned(in));
            case AFTER -> Deadline.after(Bytes.readSigned(in));
            case INVALID -> Deadline.invalid(Bytes.readText(in));
            case ABSENT -> Deadline.ABSENT;
          });
    }
    return impression.withDeadlines(deadlines);
  }
}
