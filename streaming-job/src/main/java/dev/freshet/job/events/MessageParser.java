package dev.freshet.job.events;

import dev.freshet.core.codec.Codec;
import dev.freshet.core.events.EventFormat;
import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.FeedbackCodec;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.ImpressionCodec;
import dev.freshet.core.events.Parsed;
import dev.freshet.core.events.SourcePosition;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.job.codec.CodecTypeInfo;
import java.io.Serializable;
import java.util.HashMap;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** Parses Kafka messages inside the source; what is no event becomes a dead letter. */
public abstract class MessageParser<T extends Serializable>
    implements KafkaRecordDeserializationSchema<SourceEvent<T>> {

  private final Codec<T> codec;

  private MessageParser(Codec<T> codec) {
    this.codec = codec;
  }

  /** Parses impressions. */
  public static MessageParser<Impression> impressions(Pipeline pipeline) {
    EventFormat format = format(pipeline);
    return new MessageParser<>(new ImpressionCodec()) {
      @Override
      Parsed<Impression> parse(ConsumerRecord<byte[], byte[]> message) {
        return format.impression(message.value());
      }

      @Override
      long eventTime(Impression impression) {
        return impression.eventTime();
      }
    };
  }

  /** Parses feedback of all kinds. */
  public static MessageParser<Feedback> feedback(Pipeline pipeline) {
    EventFormat format = format(pipeline);
    HashMap<String, String> kinds = new HashMap<>(pipeline.feedbackTopics());
    return new MessageParser<>(new FeedbackCodec()) {
      @Override
      Parsed<Feedback> parse(ConsumerRecord<byte[], byte[]> message) {
        return format.feedback(message.value(), kinds.get(message.topic()));
      }

      @Override
      long eventTime(Feedback feedback) {
        return feedback.eventTime();
      }
    };
  }

  private static EventFormat format(Pipeline pipeline) {
    return pipeline.kafka().format().create(pipeline.impressionFields(), pipeline.feedbackKinds());
  }

  abstract Parsed<T> parse(ConsumerRecord<byte[], byte[]> message);

  abstract long eventTime(T event);

  @Override
  public void deserialize(ConsumerRecord<byte[], byte[]> message, Collector<SourceEvent<T>> out) {
    Parsed<T> parsed = parse(message);
    SourcePosition position =
        new SourcePosition(
            message.topic(), message.partition(), message.offset() + 1, message.timestamp());
    if (parsed.event() != null) {
      out.collect(new SourceEvent<>(parsed.event(), eventTime(parsed.event()), null, position));
      return;
    }
    DeadLetter letter =
        new DeadLetter(
            message.key(),
            message.value(),
            parsed.rejection().reason().label(),
            parsed.rejection().toString(),
            message.topic(),
            message.partition(),
            message.offset());
    out.collect(new SourceEvent<>(null, SourceEvent.NO_TIME, letter, position));
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
