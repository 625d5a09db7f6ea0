package dev.freshet.core.events;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.freshet.core.codec.Codec;
import dev.freshet.core.features.FeatureEncoder;
import dev.freshet.core.labels.DropReason;
import dev.freshet.core.labels.DroppedEvent;
import dev.freshet.core.labels.DroppedEventCodec;
import dev.freshet.core.labels.ExampleJson;
import dev.freshet.core.labels.LabeledExample;
import dev.freshet.core.labels.LabeledExampleCodec;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/**
 * Whatever a message holds it is an event or a rejection, never an exception; and what is an event
 * comes back the same from every layout of bytes that it passes, with the same hash of its key.
 */
class EventReaderProperties {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Pipeline pipeline =
      TestingPipelines.shop(
          "models:", "  - {name: topics, kind: categorical, many: true, weighted: true}\nmodels:");
  private final EventReader reader = pipeline.eventReader();
  private final ExampleJson examples =
      new ExampleJson(pipeline.impressionFields(), pipeline.tasks());

  @Property(tries = 2000)
  void anyBytesAreAnEventOrARejection(@ForAll byte[] message) throws IOException {
    check(message);
  }

  @Property(tries = 2000)
  void anyJsonIsAnEventOrARejection(
      @ForAll("values") String id,
      @ForAll("values") String eventId,
      @ForAll("values") String time,
      @ForAll("values") String user,
      @ForAll("lists") String tags,
      @ForAll("weights") String topics,
      @ForAll("values") String price,
      @ForAll("values") String model,
      @ForAll boolean goodTime)
      throws IOException {
    String json =
        String.format(
            "{\"impression_id\":%s,\"event_id\":%s,\"event_time\":%s,\"kind\":\"revenue\",\"value\":%s,"
                + "\"features\":{\"user\":%s,\"tags\":%s,\"price\":%s,\"topics\":%s},"
                + "\"served\":{\"model\":%s,\"version\":%s,\"scores\":{\"click\":%s}}}",
            id,
            eventId,
            goodTime ? "1767225600000" : time,
            price,
            user,
            tags,
            price,
            topics,
            model,
            id,
            price);
    check(json.getBytes(StandardCharsets.UTF_8));
  }

  /** A good message with bytes turned over or cut off. */
  @Property(tries = 2000)
  void brokenMessagesAreAnEventOrARejection(@ForAll long seed) throws IOException {
    byte[] message =
        ("{\"impression_id\":\"\u00e9\uD83D\uDE00\",\"event_id\":\"e\",\"event_time\":1767225600000,"
                + "\"kind\":\"click\",\"features\":{\"user\":\"\u20ac\",\"tags\":[1.5e3],\"price\":-0.0}}")
            .getBytes(StandardCharsets.UTF_8);
    Random random = new Random(seed);
    for (int i = random.nextInt(4); i >= 0; i--) {
      message[random.nextInt(message.length)] = (byte) random.nextInt(256);
    }
    check(Arrays.copyOf(message, message.length - random.nextInt(3)));
  }

  private void check(byte[] message) throws IOException {
    Parsed<Impression> impression = reader.impression(message);
    Parsed<Feedback> feedback = reader.feedback(message, null);
    assertThat(impression.event() == null).isNotEqualTo(impression.rejection() == null);
    assertThat(feedback.event() == null).isNotEqualTo(feedback.rejection() == null);
    if (feedback.event() != null) {
      same(new FeedbackCodec(), feedback.event());
      Feedback event = feedback.event();
      same(
          new DroppedEventCodec(),
          new DroppedEvent(
              DropReason.LATE,
              event.impressionId(),
              event.eventId(),
              event.task(),
              event.eventTime(),
              event.value()));
    } else {
      assertThat(feedback.rejection().toString().length()).isLessThan(1000);
    }
    if (impression.event() != null) {
      check(impression.event());
    } else {
      assertThat(impression.rejection().toString().length()).isLessThan(1000);
    }
  }

  private void check(Impression impression) throws IOException {
    Impression read = same(new ImpressionCodec(), impression);
    assertThat(read.id().hashCode()).isEqualTo(impression.id().hashCode());
    FeatureEncoder encoder = new FeatureEncoder(pipeline.schema());
    int[] starts = new int[pipeline.features().size() + 1];
    long[] keys = encoder.keys(impression.features(), impression.eventTime(), starts);
    assertThat(encoder.keys(read.features(), read.eventTime(), starts)).isEqualTo(keys);
    // Of what was served the compact layout keeps the scores only.
    Impression bare =
        new Impression(impression.id(), impression.eventTime(), impression.features(), null);
    Impression compact =
        same(new ImpressionCodec(), bare.withFeatures(encoder.compact(bare.features())));
    assertThat(encoder.keys(compact.features(), compact.eventTime(), starts)).isEqualTo(keys);
    TaskLabel[] labels = {TaskLabel.NONE, TaskLabel.NONE, TaskLabel.NONE};
    LabeledExample example = new LabeledExample(impression, 1, labels);
    same(new LabeledExampleCodec(), example);
    assertThat(JSON.readTree(examples.write(example)).path("impression_id").asText())
        .isEqualTo(impression.id());
  }

  private static <T> T same(Codec<T> codec, T value) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    codec.write(value, new DataOutputStream(bytes));
    DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes.toByteArray()));
    T read = codec.read(in);
    assertThat(read)
        .usingRecursiveComparison()
        .withEqualsForType(Double::equals, Double.class)
        .isEqualTo(value);
    assertThat(in.available()).isZero();
    return read;
  }

  @Provide
  Arbitrary<String> weights() {
    Arbitrary<String> pair = Combinators.combine(values(), values()).as("[%s,%s]"::formatted);
    Arbitrary<String> entry =
        Combinators.combine(Arbitraries.strings().alpha().ofMaxLength(2), values())
            .as("\"%s\":%s"::formatted);
    return Arbitraries.oneOf(
        lists(),
        pair.list().ofMaxSize(3).map(all -> "[" + String.join(",", all) + "]"),
        entry.list().ofMaxSize(3).map(all -> "{" + String.join(",", all) + "}"));
  }

  @Provide
  Arbitrary<String> values() {
    return Arbitraries.oneOf(texts().map(EventReaderProperties::quoted), numbers(), others());
  }

  @Provide
  Arbitrary<String> lists() {
    return Arbitraries.oneOf(
        values(), values().list().ofMaxSize(5).map(items -> "[" + String.join(",", items) + "]"));
  }

  /** Every character that a Java string can hold, halves of surrogate pairs among them. */
  private static Arbitrary<String> texts() {
    Arbitrary<String> any = Arbitraries.strings().all().ofMaxLength(12);
    Arbitrary<String> surrogates =
        Arbitraries.strings().withCharRange('\uD7FF', '\uE000').ofMaxLength(4);
    Arbitrary<String> longOnes =
        Combinators.combine(
                Arbitraries.of("a", "\u00e9", "\u20ac", "\uD83D\uDE00", "\0"),
                Arbitraries.of(255, 341, 512, 1023, 1024, 1025, 4096, 4097, 65_536))
            .as(String::repeat);
    return Arbitraries.oneOf(
        any, surrogates, longOnes, Arbitraries.of("7", "7.0", "1e3", "NaN", ""));
  }

  private static Arbitrary<String> numbers() {
    Arbitrary<String> edges =
        Arbitraries.of(
            "0",
            "-0",
            "-0.0",
            "7.0",
            "1e400",
            "-1e400",
            "1e-400",
            "1e308",
            "1.8e308",
            "4.9e-324",
            "9223372036854775807",
            "9223372036854775808",
            "-9223372036854775809",
            "1e2147483647",
            "1e2147483648",
            "1e-2147483648",
            "1e99999999999",
            "0e99999999999",
            "0e2147483647",
            "01",
            "1.",
            "+1",
            "NaN",
            "1" + "0".repeat(63),
            "1" + "0".repeat(64),
            "9".repeat(999),
            "9".repeat(1001),
            "9".repeat(10_000),
            "0." + "0".repeat(998) + "1");
    return Arbitraries.oneOf(
        edges,
        Arbitraries.doubles().map(String::valueOf),
        Arbitraries.longs().map(String::valueOf));
  }

  private static Arbitrary<String> others() {
    ObjectNode nested = JsonNodeFactory.instance.objectNode();
    ArrayNode list = nested.putArray("a");
    list.add(1).addNull();
    return Arbitraries.of(
        List.of(
            "null",
            "true",
            "false",
            "[]",
            "{}",
            nested.toString(),
            "[[1]]",
            "[null]",
            "{\"a\":1,\"a\":2}",
            "[".repeat(99) + "]".repeat(99),
            "[".repeat(10_000),
            "[" + "1,".repeat(100_000) + "1]"));
  }

  /** Escapes what JSON demands, and every half of a surrogate pair, so that bytes can carry it. */
  private static String quoted(String text) {
    StringBuilder json = new StringBuilder("\"");
    for (char c : text.toCharArray()) {
      if (c < ' ' || c == '"' || c == '\\' || Character.isSurrogate(c)) {
        json.append(String.format("\\u%04x", (int) c));
      } else {
        json.append(c);
      }
    }
    return json.append('"').toString();
  }
}
