package dev.freshet.core.events;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the job, the simulator, replays and dead letters rely on, for every format of the menu. */
class EventFormatContractTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Pipeline pipeline = TestingPipelines.shop();

  /** An event with everything in it that an event can hold. */
  private static ObjectNode rich() throws Exception {
    ObjectNode event = EventTree.impression("i\u00fc\ud83d\ude00", 1767225600123L);
    event.set(
        "features",
        JSON.readTree(
            "{\"user\": 7, \"item\": \"p1\", \"tags\": [\"a\", \"\u00e9\", \"\"], \"price\": 0.1,"
                + " \"none\": null, \"yes\": true, \"empty\": [], \"small\": 5e-324,"
                + " \"topics\": {\"news\": 0.7, \"sport\": 0.2}, \"large\": 9007199254740993}"));
    event.putObject("served").put("model", "main").putObject("scores").put("click", 0.02);
    return event;
  }

  @ParameterizedTest
  @EnumSource(EventFormats.class)
  void whatIsWrittenIsRead(EventFormats menu) throws Exception {
    EventFormat format = menu.create();
    JsonNode read = format.read(format.write(rich()));
    // As texts: a number may come back as another kind of node.
    assertThat(JSON.readTree(read.toString())).isEqualTo(JSON.readTree(rich().toString()));
    assertThat(format.write((ObjectNode) read)).as("once more").isEqualTo(format.write(rich()));
  }

  @ParameterizedTest
  @EnumSource(EventFormats.class)
  void eventsAreTheSameInAllFormats(EventFormats menu) throws Exception {
    EventFormat format = menu.create();
    EventReader reader =
        new EventReader(format, pipeline.impressionFields(), pipeline.feedbackKinds());
    EventReader json = pipeline.lineReader();
    ObjectNode shown = EventTree.impression("i1", 1767225600000L);
    shown.putObject("features").put("user", 7).put("item", "p1").put("price", 9.5);
    ObjectNode paid = EventTree.feedback("i1", "r1", "revenue", 1767225700000L, 12.5);
    ObjectNode clicked = EventTree.feedback("i1", "c1", "click", 1767225600500L, Double.NaN);
    assertThat(reader.impression(format.write(shown)))
        .usingRecursiveComparison()
        .isEqualTo(json.impression(shown.toString().getBytes(StandardCharsets.UTF_8)));
    for (ObjectNode answer : new ObjectNode[] {paid, clicked}) {
      Parsed<Feedback> read = reader.feedback(format.write(answer), null);
      assertThat(read.rejection()).isNull();
      assertThat(read)
          .isEqualTo(json.feedback(answer.toString().getBytes(StandardCharsets.UTF_8), null));
    }
    assertThat(reader.impression(format.write(paid)).rejection()).as("no features").isNull();
    shown.remove("event_time");
    assertThat(reader.impression(format.write(shown)).rejection().reason())
        .isEqualTo(RejectReason.MISSING_FIELD);
  }

  @ParameterizedTest
  @EnumSource(EventFormats.class)
  void whateverTheBytesAreNothingElseIsThrown(EventFormats menu) throws Exception {
    EventFormat format = menu.create();
    for (byte[] nothing : new byte[][] {null, {}}) {
      assertThatThrownBy(() -> format.read(nothing))
          .isInstanceOfSatisfying(
              UnreadableMessageException.class,
              e -> assertThat(e.rejection().reason()).isEqualTo(RejectReason.EMPTY_MESSAGE));
    }
    byte[] whole = format.write(rich());
    Random random = new Random(1);
    int unreadable = 0;
    for (int i = 0; i < 2000; i++) {
      byte[] broken = Arrays.copyOf(whole, 1 + random.nextInt(whole.length + 3));
      if (i % 2 == 0) {
        broken[random.nextInt(broken.length)] = (byte) random.nextInt();
      }
      try {
        format.read(broken);
      } catch (UnreadableMessageException e) {
        assertThat(e.rejection().allowed()).isNotEmpty();
        unreadable++;
      }
    }
    assertThat(unreadable).isGreaterThan(1000);
  }

  /** Flink sends it to its tasks. */
  @ParameterizedTest
  @EnumSource(EventFormats.class)
  void isSerializable(EventFormats menu) throws Exception {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
      out.writeObject(menu.create());
    }
    ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()));
    EventFormat sent = (EventFormat) in.readObject();
    assertThat(sent.write(rich())).isEqualTo(menu.create().write(rich()));
  }
}
