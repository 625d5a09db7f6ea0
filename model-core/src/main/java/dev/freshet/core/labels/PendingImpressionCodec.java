package dev.freshet.core.labels;

import dev.freshet.core.codec.Bytes;
import dev.freshet.core.codec.Codec;
import dev.freshet.core.codec.Layout;
import dev.freshet.core.events.DeadlinesCodec;
import dev.freshet.core.events.FeaturesCodec;
import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.FeedbackCodec;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.ImpressionCodec;
import dev.freshet.core.events.RawFeatures;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Bytes of a {@link PendingImpression} in keyed state. Times are written as the difference to the
 * impression's, and the key's id, which the state backend has anyway, is left out: {@link
 * PendingImpression#named} puts it back.
 *
 * <pre>
 * byte version = 3, or 4 with weights | byte marks: 1 impression, 2 compact features, 4 deadlines,
 *     8 weights
 * | long event time, of the impression or, without one, of the first feedback
 * | [ impression: features and served [ deadlines ] ]
 * | count feedback, each: count task | text event id | signed time | double value
 * | count tasks, each: byte emitted [ if FIRST was: signed moment ] and, marked by its highest bit:
 *   [ boolean reached | double amount | signed moment | count changes ]
 * | [ without impression: signed waits until ] | boolean timer? [ signed timer ]
 * </pre>
 *
 * Version 2 had no deadlines. Version 1 held ids and whole times, no moments and no amounts.
 */
public final class PendingImpressionCodec implements Codec<PendingImpression> {

  private static final int WITHOUT_WEIGHTS = 3;
  private static final int WITH_WEIGHTS = 4;
  private static final Layout LAYOUT = new Layout("freshet.pending-impression", WITH_WEIGHTS);
  private static final int IMPRESSION = 1;
  private static final int COMPACT = 2;
  private static final int DEADLINES = 4;
  private static final int WEIGHTED = 8;
  private static final int AMOUNT = 0x80;

  private final ImpressionCodec impressions = new ImpressionCodec();
  private final FeedbackCodec feedback = new FeedbackCodec();

  @Override
  public Layout layout() {
    return LAYOUT;
  }

  @Override
  public void write(PendingImpression pending, DataOutput out) throws IOException {
    Impression impression = pending.impression;
    boolean weighted = impression != null && FeaturesCodec.weighted(impression);
    out.writeByte(weighted ? WITH_WEIGHTS : WITHOUT_WEIGHTS);
    long base = base(pending);
    if (impression == null) {
      out.writeByte(0);
      out.writeLong(base);
    } else {
      out.writeByte(
          IMPRESSION
              | (impression.features() instanceof RawFeatures ? 0 : COMPACT)
              | (impression.deadlines().isEmpty() ? 0 : DEADLINES)
              | (weighted ? WEIGHTED : 0));
      out.writeLong(base);
      FeaturesCodec.write(impression, out);
      if (!impression.deadlines().isEmpty()) {
        DeadlinesCodec.write(impression, out);
      }
    }
    Bytes.writeCount(out, pending.feedback.size());
    for (Feedback event : pending.feedback) {
      Bytes.writeCount(out, event.task());
      Bytes.writeText(out, event.eventId());
      Bytes.writeSigned(out, event.eventTime() - base);
      out.writeDouble(event.value());
    }
    Bytes.writeCount(out, pending.emitted.length);
    for (int task = 0; task < pending.emitted.length; task++) {
      writeEmitted(pending, task, base, out);
    }
    if (impression == null) {
      Bytes.writeSigned(out, pending.waitsUntil - base);
    }
    out.writeBoolean(pending.timer() != PendingImpression.NONE);
    if (pending.timer() != PendingImpression.NONE) {
      Bytes.writeSigned(out, pending.timer() - base);
    }
  }

  private static long base(PendingImpression pending) {
    if (pending.impression != null) {
      return pending.impression.eventTime();
    }
    return pending.feedback.isEmpty() ? 0 : pending.feedback.get(0).eventTime();
  }

  private static void writeEmitted(PendingImpression pending, int task, long base, DataOutput out)
      throws IOException {
    PendingImpression.Emitted amount = pending.amounts[task];
    out.writeByte(pending.emitted[task] | (amount == null ? 0 : AMOUNT));
    if (pending.wasEmitted(task, LabelKind.FIRST)) {
      Bytes.writeSigned(out, pending.firstAt[task] - base);
    }
    if (amount != null) {
      out.writeBoolean(amount.reached());
      out.writeDouble(amount.value());
      Bytes.writeSigned(out, amount.at() - base);
      Bytes.writeCount(out, amount.changes());
    }
  }

  @Override
  public PendingImpression read(DataInput in) throws IOException {
    return LAYOUT.readVersion(in) == 1 ? readFirst(in) : readNow(in);
  }

  private PendingImpression readNow(DataInput in) throws IOException {
    int marks = in.readByte();
    long base = in.readLong();
    Impression impression = null;
    if ((marks & IMPRESSION) != 0) {
      boolean compact = (marks & COMPACT) != 0;
      boolean weighted = (marks & WEIGHTED) != 0;
      impression = FeaturesCodec.read(PendingImpression.UNNAMED, base, compact, weighted, in);
      if ((marks & DEADLINES) != 0) {
        impression = DeadlinesCodec.read(impression, in);
      }
    }
    List<Feedback> events = new ArrayList<>();
    int count = Bytes.readCount(in);
    for (int i = 0; i < count; i++) {
      int task = Bytes.readCount(in);
      String id = Bytes.readText(in);
      long time = base + Bytes.readSigned(in);
      events.add(new Feedback(PendingImpression.UNNAMED, id, task, time, in.readDouble()));
    }
    PendingImpression pending = new PendingImpression(Bytes.readCount(in));
    pending.impression = impression;
    pending.feedback.addAll(events);
    for (int task = 0; task < pending.emitted.length; task++) {
      readEmitted(pending, task, base, in);
    }
    if (impression == null) {
      pending.waitsUntil = base + Bytes.readSigned(in);
    }
    pending.timer(in.readBoolean() ? base + Bytes.readSigned(in) : PendingImpression.NONE);
    return pending;
  }

  private static void readEmitted(PendingImpression pending, int task, long base, DataInput in)
      throws IOException {
    int emitted = in.readUnsignedByte();
    pending.emitted[task] = (byte) (emitted & ~AMOUNT);
    if (pending.wasEmitted(task, LabelKind.FIRST)) {
      pending.firstAt[task] = base + Bytes.readSigned(in);
    }
    if ((emitted & AMOUNT) != 0) {
      boolean reached = in.readBoolean();
      double value = in.readDouble();
      long at = base + Bytes.readSigned(in);
      pending.amounts[task] =
          new PendingImpression.Emitted(value, reached, at, Bytes.readCount(in));
    }
  }

  private PendingImpression readFirst(DataInput in) throws IOException {
    Impression impression = in.readBoolean() ? impressions.read(in) : null;
    List<Feedback> events = new ArrayList<>();
    int count = Bytes.readCount(in);
    for (int i = 0; i < count; i++) {
      events.add(feedback.read(in));
    }
    PendingImpression pending = new PendingImpression(Bytes.readCount(in));
    pending.impression = impression;
    pending.feedback.addAll(events);
    in.readFully(pending.emitted);
    pending.waitsUntil = in.readLong();
    pending.timer(in.readLong());
    return pending;
  }
}
