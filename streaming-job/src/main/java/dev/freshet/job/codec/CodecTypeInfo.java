package dev.freshet.job.codec;

import dev.freshet.core.codec.Codec;
import dev.freshet.core.counts.CountMoment;
import dev.freshet.core.counts.CountMomentCodec;
import dev.freshet.core.counts.CountedEvent;
import dev.freshet.core.counts.CountedEventCodec;
import dev.freshet.core.counts.CountedImpression;
import dev.freshet.core.counts.CountedImpressionCodec;
import dev.freshet.core.counts.DecayedCounts;
import dev.freshet.core.counts.DecayedCountsCodec;
import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.FeedbackCodec;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.ImpressionCodec;
import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.features.EncodedExampleCodec;
import dev.freshet.core.labels.DroppedEvent;
import dev.freshet.core.labels.DroppedEventCodec;
import dev.freshet.core.labels.LabeledExample;
import dev.freshet.core.labels.LabeledExampleCodec;
import dev.freshet.core.labels.PendingImpression;
import dev.freshet.core.labels.PendingImpressionCodec;
import dev.freshet.core.snapshot.ModelRecord;
import dev.freshet.core.snapshot.ModelRecordCodec;
import java.util.List;
import java.util.Optional;
import org.apache.flink.api.common.serialization.SerializerConfig;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.jspecify.annotations.Nullable;

/** Every type that crosses an edge of the job or lies in its state. */
public final class CodecTypeInfo<T> extends TypeInformation<T> {

  public static final CodecTypeInfo<Impression> IMPRESSION =
      new CodecTypeInfo<>(Impression.class, new ImpressionCodec(), true);
  public static final CodecTypeInfo<Feedback> FEEDBACK =
      new CodecTypeInfo<>(Feedback.class, new FeedbackCodec(), true);
  public static final CodecTypeInfo<CountedEvent> COUNTED_EVENT =
      new CodecTypeInfo<>(CountedEvent.class, new CountedEventCodec(), true);
  public static final CodecTypeInfo<CountedImpression> COUNTED_IMPRESSION =
      new CodecTypeInfo<>(CountedImpression.class, new CountedImpressionCodec(), false);
  public static final CodecTypeInfo<CountMoment> COUNT_MOMENT =
      new CodecTypeInfo<>(CountMoment.class, new CountMomentCodec(), true);
  public static final CodecTypeInfo<DecayedCounts> DECAYED_COUNTS =
      new CodecTypeInfo<>(DecayedCounts.class, new DecayedCountsCodec(), false);
  public static final CodecTypeInfo<PendingImpression> PENDING =
      new CodecTypeInfo<>(PendingImpression.class, new PendingImpressionCodec(), false);
  public static final CodecTypeInfo<DroppedEvent> DROPPED =
      new CodecTypeInfo<>(DroppedEvent.class, new DroppedEventCodec(), true);
  public static final CodecTypeInfo<LabeledExample> LABELED =
      new CodecTypeInfo<>(LabeledExample.class, new LabeledExampleCodec(), true);
  public static final CodecTypeInfo<EncodedExample> ENCODED =
      new CodecTypeInfo<>(EncodedExample.class, new EncodedExampleCodec(), true);
  public static final CodecTypeInfo<ModelRecord> MODEL_RECORD =
      new CodecTypeInfo<>(ModelRecord.class, new ModelRecordCodec(), true);

  /** Those of state, which checkpoints and savepoints name by their layouts. */
  private static final List<CodecTypeInfo<?>> STATE =
      List.of(IMPRESSION, PENDING, COUNTED_IMPRESSION, COUNT_MOMENT, DECAYED_COUNTS);

  private final Class<T> type;
  private final Codec<T> codec;
  private final boolean immutable;

  public CodecTypeInfo(Class<T> type, Codec<T> codec, boolean immutable) {
    this.type = type;
    this.codec = codec;
    this.immutable = immutable;
  }

  /** The type of state that has a layout of this name. */
  static Optional<CodecTypeInfo<?>> ofState(String layout) {
    return STATE.stream().filter(type -> type.codec.layout().name().equals(layout)).findFirst();
  }

  @Override
  public TypeSerializer<T> createSerializer(@Nullable SerializerConfig config) {
    return new CodecSerializer<>(codec, immutable);
  }

  @Override
  public boolean isBasicType() {
    return false;
  }

  @Override
  public boolean isTupleType() {
    return false;
  }

  @Override
  public int getArity() {
    return 1;
  }

  @Override
  public int getTotalFields() {
    return 1;
  }

  @Override
  public Class<T> getTypeClass() {
    return type;
  }

  @Override
  public boolean isKeyType() {
    return false;
  }

  @Override
  public String toString() {
    return type.getSimpleName();
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof CodecTypeInfo<?> that && that.type == type;
  }

  @Override
  public int hashCode() {
    return type.hashCode();
  }

  @Override
  public boolean canEqual(@Nullable Object other) {
    return other instanceof CodecTypeInfo;
  }
}
