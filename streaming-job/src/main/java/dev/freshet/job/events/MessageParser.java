package dev.freshet.job.events;

import static java.util.Objects.requireNonNull;

import dev.freshet.core.codec.Codec;
import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.FeedbackCodec;
import dev.freshet.core.events.FeedbackKind;
import dev.freshet.core.events.FieldCounts;
import dev.freshet.core.events.FieldCounts.Kind;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.ImpressionCodec;
import dev.freshet.core.events.Parsed;
import dev.freshet.core.events.RejectReason;
import dev.freshet.core.events.Rejection;
import dev.freshet.core.events.SourcePosition;
import dev.freshet.core.events.mapping.MessageReader;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.settings.Durations;
import dev.freshet.job.codec.CodecTypeInfo;
import dev.freshet.job.metrics.EventMetrics;
import dev.freshet.job.metrics.MetricLabel;
import dev.freshet.job.metrics.MetricStep;
import dev.freshet.job.metrics.StepMetrics;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.jspecify.annotations.Nullable;

/** Parses Kafka messages inside the source; what is no event becomes a dead letter. */
public abstract class MessageParser<T extends Serializable>
    implements KafkaRecordDeserializationSchema<SourceEvent<T>> {

  /**
   * Header with the time at which a message arrived, epoch milliseconds as text, where the record's
   * own time says something else: that of a replay or of a simulator's clock.
   */
  public static final String ARRIVED = "freshet.arrived";

  private static final long UNKNOWN = -1;

  private final Codec<T> codec;
  private final long maxAhead;

  private MessageParser(Codec<T> codec, Pipeline pipeline) {
    this.codec = codec;
    maxAhead = pipeline.labels().maxAhead().toMillis();
  }

  @Override
  public void open(DeserializationSchema.InitializationContext context) {
    FieldCounts counts = fieldCounts();
    StepMetrics metrics = StepMetrics.of(MetricStep.PARSER, context.getMetricGroup());
    for (int i = 0; i < counts.fields().size(); i++) {
      int field = i;
      StepMetrics of = metrics.with(MetricLabel.FIELD, counts.fields().get(i));
      for (Kind kind : List.of(Kind.ABSENT, Kind.WRONG_TYPE, Kind.NUMBER_AS_TEXT)) {
        of.with(MetricLabel.SENT, kind.label())
            .gauge(EventMetrics.SENT_FIELDS, () -> counts.count(field, kind));
      }
    }
  }

  /** Counts of feature fields; of no field for feedback. */
  abstract FieldCounts fieldCounts();

  /** Parses impressions. */
  public static MessageParser<Impression> impressions(Pipeline pipeline) {
    MessageReader reader = pipeline.messages();
    return new MessageParser<>(new ImpressionCodec(), pipeline) {
      @Override
      List<Parsed<Impression>> parse(ConsumerRecord<byte[], byte[]> message) {
        return reader.impressions(message.value());
      }

      @Override
      FieldCounts fieldCounts() {
        return reader.fieldCounts();
      }

      @Override
      long eventTime(Impression impression) {
        return impression.eventTime();
      }

      @Override
      String kind(ConsumerRecord<byte[], byte[]> message, @Nullable Impression impression) {
        return DeadLetter.IMPRESSION;
      }
    };
  }

  /** Parses feedback of all kinds. */
  public static MessageParser<Feedback> feedback(Pipeline pipeline) {
    MessageReader reader = pipeline.messages();
    List<FeedbackKind> tasks = pipeline.feedbackKinds();
    return new MessageParser<>(new FeedbackCodec(), pipeline) {
      @Override
      List<Parsed<Feedback>> parse(ConsumerRecord<byte[], byte[]> message) {
        return reader.feedback(message.value(), message.topic());
      }

      @Override
      FieldCounts fieldCounts() {
        return new FieldCounts(List.of());
      }

      @Override
      long eventTime(Feedback feedback) {
        return feedback.eventTime();
      }

      @Override
      String kind(ConsumerRecord<byte[], byte[]> message, @Nullable Feedback feedback) {
        return feedback != null
            ? tasks.get(feedback.task()).name()
            : Objects.requireNonNullElse(reader.kind(message.topic()), "");
      }
    };
  }

  /** All events of a message; none if it is passed over. */
  abstract List<Parsed<T>> parse(ConsumerRecord<byte[], byte[]> message);

  abstract long eventTime(T event);

  /**
   * @param event null if the message is none
   */
  abstract String kind(ConsumerRecord<byte[], byte[]> message, @Nullable T event);

  @Override
  public void deserialize(ConsumerRecord<byte[], byte[]> message, Collector<SourceEvent<T>> out) {
    SourcePosition position =
        new SourcePosition(
            message.topic(), message.partition(), message.offset() + 1, message.timestamp());
    List<Parsed<T>> events = parse(message);
    for (Parsed<T> parsed : events) {
      out.collect(of(message, parsed, position));
    }
    if (events.isEmpty()) {
      out.collect(new SourceEvent<>(null, SourceEvent.NO_TIME, null, position));
    }
  }

  private SourceEvent<T> of(
      ConsumerRecord<byte[], byte[]> message, Parsed<T> parsed, SourcePosition position) {
    T event = parsed.event();
    Rejection ahead = event == null ? null : ahead(message, eventTime(event));
    if (event != null && ahead == null) {
      return new SourceEvent<>(event, eventTime(event), null, position);
    }
    Rejection rejection = ahead == null ? requireNonNull(parsed.rejection()) : ahead;
    DeadLetter letter =
        new DeadLetter(
            message.key(),
            message.value(),
            rejection.reason().label(),
            rejection.toString(),
            kind(message, event),
            rejection.field(),
            message.topic(),
            message.partition(),
            message.offset());
    return new SourceEvent<>(null, SourceEvent.NO_TIME, letter, position);
  }

  /**
   * Nothing happens long after it was written down: of two clocks that differ so much the event's
   * is the wrong one, and it would move time for all others.
   */
  private @Nullable Rejection ahead(ConsumerRecord<byte[], byte[]> message, long eventTime) {
    long arrived = arrived(message);
    if (arrived == UNKNOWN || eventTime - arrived <= maxAhead) {
      return null;
    }
    return new Rejection(
        RejectReason.AHEAD,
        "event_time",
        Instant.ofEpochMilli(eventTime).toString(),
        "up to labels.max-ahead ("
            + Durations.written(Duration.ofMillis(maxAhead))
            + ") after the message arrived, "
            + Instant.ofEpochMilli(arrived));
  }

  private static long arrived(ConsumerRecord<byte[], byte[]> message) {
    Header header = message.headers().lastHeader(ARRIVED);
    if (header != null && header.value() != null) {
      String text = new String(header.value(), StandardCharsets.US_ASCII);
      if (text.matches("\\d{1,15}")) {
        return Long.parseLong(text);
      }
    }
    return message.timestamp() < 0 ? UNKNOWN : message.timestamp();
  }

  @Override
  public TypeInformation<SourceEvent<T>> getProducedType() {
    return typeInfo(codec);
  }

  /** Type of the events of a source. */
  @SuppressWarnings("unchecked")
  public static <T extends Serializable> TypeInformation<SourceEvent<T>> typeInfo(Codec<T> codec) {
    Class<SourceEvent<T>> type = (Class<SourceEvent<T>>) (Class<?>) SourceEvent.class;
    return new CodecTypeInfo<>(type, new SourceEventCodec<>(codec), true);
  }
}
