package dev.freshet.job.publishing;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.DoubleNode;
import dev.freshet.core.events.EventReader;
import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.Parsed;
import dev.freshet.core.events.RejectReason;
import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.features.ExampleEncoder;
import dev.freshet.core.labels.DropReason;
import dev.freshet.core.labels.DroppedEvent;
import dev.freshet.core.labels.ExampleJson;
import dev.freshet.core.labels.LabelJoin;
import dev.freshet.core.labels.LabeledExample;
import dev.freshet.core.labels.PendingImpression;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.job.TestingDocument;
import dev.freshet.job.TestingDocument.Block;
import dev.freshet.job.events.DeadLetter;
import dev.freshet.job.labels.DroppedToDeadLetter;
import dev.freshet.job.training.LeftOutExamples;
import dev.freshet.training.LeftOutReason;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.kafka.common.header.Header;
import org.junit.jupiter.api.Test;

/** What {@code docs/events.md} shows goes through the code that the job runs. */
class EventsDocumentTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final TestingDocument document = new TestingDocument("events.md");
  private final Pipeline pipeline =
      PipelineFile.parse(
          String.join("\n", document.blocks("yaml").get(0).lines()), "docs/events.md");
  private final EventReader reader = pipeline.eventReader();

  EventsDocumentTest() throws IOException {}

  @Test
  void whatIsShownAsAcceptedIs() {
    for (String line : lines("json accepted impression")) {
      assertThat(impression(line).rejection()).as(line).isNull();
    }
    for (String line : lines("json accepted feedback")) {
      assertThat(feedback(line).rejection()).as(line).isNull();
    }
    assertThat(lines("json accepted impression")).hasSizeGreaterThan(3);
    assertThat(lines("json accepted feedback")).hasSizeGreaterThan(3);
  }

  @Test
  void whatIsShownAsRefusedIsForThatReason() {
    List<Block> blocks = document.blocks("json rejected");
    assertThat(blocks).hasSizeGreaterThan(5);
    for (Block block : blocks) {
      boolean shown = block.words().get(2).equals("impression");
      for (String line : block.lines()) {
        Parsed<?> parsed = shown ? impression(line) : feedback(line);
        assertThat(parsed.rejection()).as(line).isNotNull();
        assertThat(parsed.rejection().reason().label()).as(line).isEqualTo(block.words().get(3));
        assertThat(parsed.rejection().field()).as(line).isEqualTo(block.words().get(4));
      }
    }
  }

  @Test
  void everyReasonIsExplained() {
    assertThat(document.keys("What is refused"))
        .containsExactlyInAnyOrderElementsOf(
            Stream.of(RejectReason.values()).map(RejectReason::label).toList());
    assertThat(document.keys("What is dropped"))
        .containsExactlyInAnyOrderElementsOf(
            Stream.of(DropReason.values()).map(DropReason::label).distinct().toList());
    assertThat(document.keys("What is not learnt"))
        .containsExactlyInAnyOrderElementsOf(
            Stream.of(LeftOutReason.values()).map(LeftOutReason::label).toList());
  }

  @Test
  void deadLettersHaveJustTheHeadersThatAreTold() {
    DeadLetter letter =
        new DeadLetter(new byte[9000], new byte[9000], "r", "e", "k", "f", "t", 1, 2, "m");
    List<String> headers = new ArrayList<>();
    for (Header header :
        new MessageLimit(2000).fit(DeadLetters.message("dead-letters", letter)).headers()) {
      headers.add(header.key());
    }
    assertThat(document.keys("Dead letters")).containsExactlyInAnyOrderElementsOf(headers);
  }

  @Test
  void aDroppedEventLooksAsShown() throws IOException {
    DroppedEvent event = new DroppedEvent(DropReason.LATE, "i1", "c9", 0, 1_767_229_200_000L, 1);
    DeadLetter letter =
        new DroppedToDeadLetter(pipeline.kafka().format().create(), pipeline.tasks()).map(event);
    assertThat(JSON.readTree(letter.value()))
        .isEqualTo(JSON.readTree(lines("json dead-letter " + letter.reason()).get(0)));
    DroppedEvent early =
        new DroppedEvent(DropReason.BEFORE_PARENT, "i1", "c9", 0, 1_767_229_200_000L, 1, 3_597_000);
    assertThat(
            new DroppedToDeadLetter(pipeline.kafka().format().create(), pipeline.tasks())
                .map(early)
                .error())
        .startsWith("before-parent: by its clock it happened 59m 57s before what it follows from");
  }

  @Test
  void anExampleThatWasNotLearntLooksAsShown() throws IOException {
    EncodedExample example = new ExampleEncoder(pipeline.schema()).encode(examples().get(0));
    DeadLetter letter =
        new LeftOutExamples(pipeline, "main").letter(example, LeftOutReason.SKIPPED_BATCH, "why");
    assertThat(new String(letter.key(), StandardCharsets.UTF_8)).isEqualTo("i1");
    assertThat(JSON.readTree(letter.value()))
        .isEqualTo(JSON.readTree(lines("json dead-letter " + letter.reason()).get(0)));
    Map<String, String> headers = new HashMap<>();
    for (Header header : DeadLetters.message("dead-letters", letter).headers()) {
      headers.put(header.key(), new String(header.value(), StandardCharsets.UTF_8));
    }
    assertThat(headers)
        .containsEntry("freshet.reason", "skipped-batch")
        .containsEntry("freshet.error", "why")
        .containsEntry("freshet.kind", "example")
        .containsEntry("freshet.model", "main");
  }

  @Test
  void anExampleLooksAsShown() throws IOException {
    ExampleJson json = new ExampleJson(pipeline.impressionFields(), pipeline.tasks());
    JsonNode written = JSON.readTree(json.write(examples().get(0)));
    JsonNode expected = JSON.readTree(lines("json example").get(0));
    assertThat(written).isEqualTo(expected);
    assertThat(written.path("features").path("price")).isEqualTo(DoubleNode.valueOf(9.5));
  }

  /** Of the first impression and all feedback that are shown. */
  private List<LabeledExample> examples() {
    LabelJoin join = new LabelJoin(pipeline.tasks(), pipeline.labels(), false);
    PendingImpression pending = new PendingImpression(pipeline.tasks().size());
    List<LabeledExample> examples = new ArrayList<>();
    LabelJoin.Output output =
        new LabelJoin.Output() {
          @Override
          public void example(LabeledExample example) {
            examples.add(example);
          }

          @Override
          public void dropped(DroppedEvent event) {
            throw new AssertionError(event.toString());
          }
        };
    Impression shown = impression(lines("json accepted impression").get(0)).event();
    join.onImpression(pending, shown, Long.MIN_VALUE, output);
    for (String line : lines("json accepted feedback")) {
      join.onFeedback(pending, feedback(line).event(), Long.MIN_VALUE, output);
    }
    while (!pending.finished()) {
      join.onTimer(pending, join.nextMoment(pending), output);
    }
    return examples;
  }

  private List<String> lines(String words) {
    return document.blocks(words).stream().flatMap(block -> block.lines().stream()).toList();
  }

  private Parsed<Impression> impression(String line) {
    return reader.impression(line.getBytes(StandardCharsets.UTF_8));
  }

  private Parsed<Feedback> feedback(String line) {
    return reader.feedback(line.getBytes(StandardCharsets.UTF_8), null);
  }
}
