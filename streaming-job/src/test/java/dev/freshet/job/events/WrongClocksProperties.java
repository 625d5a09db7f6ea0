package dev.freshet.job.events;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.Impression;
import dev.freshet.core.labels.DroppedEvent;
import dev.freshet.core.labels.LabelJoin;
import dev.freshet.core.labels.LabeledExample;
import dev.freshet.core.labels.PendingImpression;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.common.eventtime.WatermarkOutput;
import org.apache.flink.metrics.SimpleCounter;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;

/** One clock in fifty is off by hours or days: the labels of all others stay what they are. */
class WrongClocksProperties {

  private static final long START = 1_767_225_600_000L;
  private static final long MINUTE = 60_000;
  private static final long HOUR = 60 * MINUTE;
  private static final long LONG_AFTER = START + 300 * 24 * HOUR;
  private static final int IMPRESSIONS = 1500;

  /** A message, when it arrives, and whose it is. */
  private record Message(long arrives, String topic, int partition, String id, String value) {}

  private final Pipeline pipeline = TestingPipelines.shop();

  @Property(tries = 60)
  void labelsOfSoundImpressionsStay(@ForAll long seed, @ForAll boolean referee) throws Exception {
    Set<String> wrong = new HashSet<>();
    Map<String, Double> sound = labels(messages(seed, false, wrong), referee);
    wrong.clear();
    Map<String, Double> disturbed = labels(messages(seed, true, wrong), referee);
    assertThat(wrong).hasSizeGreaterThan(2);
    sound.keySet().removeIf(key -> wrong.contains(key.substring(0, key.indexOf('/'))));
    disturbed.keySet().removeIf(key -> wrong.contains(key.substring(0, key.indexOf('/'))));
    assertThat(sound.values()).contains(0.0, 1.0);
    assertThat(disturbed).isEqualTo(sound);
  }

  private static List<Message> messages(long seed, boolean disturb, Set<String> wrong) {
    Random random = new Random(seed);
    Random clocks = new Random(~seed);
    List<Message> messages = new ArrayList<>();
    for (int i = 0; i < IMPRESSIONS; i++) {
      String id = "i" + i;
      long shown = START + i * 10_000L;
      add(messages, random, shown, "impressions", id, says(shown, id, clocks, disturb, wrong), "");
      if (random.nextDouble() < 0.3) {
        long clicked = shown + random.nextLong(10 * MINUTE);
        add(
            messages,
            random,
            clicked,
            "click",
            id,
            says(clicked, id, clocks, disturb, wrong),
            ",\"event_id\":\"c\"");
        if (random.nextBoolean()) {
          long bought = clicked + random.nextLong(HOUR);
          add(
              messages,
              random,
              bought,
              "purchase",
              id,
              says(bought, id, clocks, disturb, wrong),
              ",\"event_id\":\"p\"");
        }
      }
    }
    messages.sort(Comparator.comparingLong(Message::arrives));
    return messages;
  }

  // Of all topics, or those whose clocks are right would hold time back.
  private static long says(
      long happened, String id, Random clocks, boolean disturb, Set<String> wrong) {
    if (!disturb || clocks.nextDouble() >= 0.02) {
      return happened;
    }
    wrong.add(id);
    return happened
        + (clocks.nextBoolean() ? 1 : -1) * (2 * HOUR + clocks.nextLong(20 * 24 * HOUR));
  }

  private static void add(
      List<Message> messages,
      Random random,
      long happened,
      String topic,
      String id,
      long says,
      String rest) {
    String value = "{\"impression_id\":\"%s\",\"event_time\":%d%s}".formatted(id, says, rest);
    long arrives = happened + random.nextLong(30_000);
    messages.add(new Message(arrives, topic, Math.floorMod(id.hashCode(), 2), id, value));
  }

  /** Labels as the job tells them, by impression and task. */
  private Map<String, Double> labels(List<Message> messages, boolean referee) throws Exception {
    Map<String, EventWatermarks<Serializable>> clocks = new HashMap<>();
    Map<String, Long> marks = new HashMap<>();
    for (String topic : new String[] {"impressions", "click", "purchase"}) {
      for (int partition = 0; partition < 2; partition++) {
        clocks.put(
            topic + partition, new EventWatermarks<>(pipeline.labels(), new SimpleCounter()));
        marks.put(topic + partition, Long.MIN_VALUE);
      }
    }
    Told told = new Told();
    LabelJoin join = new LabelJoin(pipeline.tasks(), pipeline.labels(), false);
    Map<String, PendingImpression> pending = new TreeMap<>();
    long watermark = Long.MIN_VALUE;
    for (Message message : messages) {
      SourceEvent<? extends Serializable> event = parse(message, referee);
      String partition = message.topic() + message.partition();
      push(clocks.get(partition), event, marks, partition);
      if (event.event() != null) {
        PendingImpression of =
            pending.computeIfAbsent(message.id(), id -> new PendingImpression(3));
        if (event.event() instanceof Impression impression) {
          join.onImpression(of, impression, watermark, told);
        } else {
          join.onFeedback(of, (Feedback) event.event(), watermark, told);
        }
      }
      long now = marks.values().stream().mapToLong(Long::longValue).min().orElseThrow();
      if (now > watermark) {
        watermark = now;
        pass(join, pending, watermark, told);
      }
    }
    pass(join, pending, Long.MAX_VALUE - 1, told);
    return told.labels;
  }

  @SuppressWarnings("unchecked")
  private static void push(
      EventWatermarks<Serializable> clock,
      SourceEvent<? extends Serializable> event,
      Map<String, Long> marks,
      String partition) {
    WatermarkOutput output =
        new WatermarkOutput() {
          @Override
          public void emitWatermark(Watermark mark) {
            marks.put(partition, mark.getTimestamp());
          }

          @Override
          public void markIdle() {}

          @Override
          public void markActive() {}
        };
    clock.onEvent((SourceEvent<Serializable>) event, event.eventTime(), output);
    clock.onPeriodicEmit(output);
  }

  private static void pass(
      LabelJoin join, Map<String, PendingImpression> pending, long watermark, Told told) {
    pending
        .values()
        .removeIf(
            of -> {
              while (!of.finished() && join.nextMoment(of) <= watermark) {
                join.onTimer(of, join.nextMoment(of), told);
              }
              return of.finished();
            });
  }

  private SourceEvent<? extends Serializable> parse(Message message, boolean referee)
      throws Exception {
    byte[] value = message.value().getBytes(StandardCharsets.UTF_8);
    ConsumerRecord<byte[], byte[]> consumed =
        new ConsumerRecord<>(
            message.topic(),
            message.partition(),
            0,
            referee ? message.arrives() : LONG_AFTER,
            TimestampType.CREATE_TIME,
            0,
            value.length,
            null,
            value,
            new RecordHeaders(),
            Optional.empty());
    return message.topic().equals("impressions")
        ? only(MessageParser.impressions(pipeline), consumed)
        : only(MessageParser.feedback(pipeline), consumed);
  }

  private static <T extends Serializable> SourceEvent<T> only(
      MessageParser<T> parser, ConsumerRecord<byte[], byte[]> message) throws Exception {
    List<SourceEvent<T>> events = new ArrayList<>();
    parser.deserialize(
        message,
        new Collector<>() {
          @Override
          public void collect(SourceEvent<T> event) {
            events.add(event);
          }

          @Override
          public void close() {}
        });
    return events.get(0);
  }

  private final class Told implements LabelJoin.Output {
    private final Map<String, Double> labels = new TreeMap<>();

    @Override
    public void example(LabeledExample example) {
      for (int task = 0; task < example.labels().length; task++) {
        if (example.labels()[task].isFinal()) {
          String key = example.impression().id() + "/" + pipeline.tasks().get(task).name();
          labels.put(key, example.labels()[task].value());
        }
      }
    }

    @Override
    public void dropped(DroppedEvent event) {}
  }
}
