package dev.freshet.job.events;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.freshet.core.events.EventReader;
import dev.freshet.core.events.Parsed;
import dev.freshet.core.events.mapping.EventPresets;
import dev.freshet.core.events.mapping.MessageReader;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.core.settings.EnumNames;
import dev.freshet.job.TestingDocument;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** {@code docs/layouts.md} says what is. */
class LayoutsDocumentTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final TestingDocument document = new TestingDocument("layouts.md");

  LayoutsDocumentTest() throws IOException {}

  private List<String> lines(String block) {
    return document.blocks(block).get(0).lines();
  }

  private Pipeline pipeline() {
    return PipelineFile.parse(String.join("\n", lines("yaml")), "docs/layouts.md");
  }

  @Test
  void messagesAreTheEventsThatAreShown() throws IOException {
    Pipeline pipeline = pipeline();
    MessageReader reader = pipeline.messages();
    EventReader plain = pipeline.eventReader();
    List<Parsed<?>> mapped = new ArrayList<>();
    for (String line : lines("json message")) {
      byte[] message = line.getBytes(StandardCharsets.UTF_8);
      mapped.addAll(reader.impressions(message));
      mapped.addAll(reader.feedback(message, "track"));
    }
    List<Parsed<?>> shown = new ArrayList<>();
    for (String line : lines("json event")) {
      JsonNode event = JSON.readTree(line);
      shown.add(event.has("kind") ? plain.feedback(event, null) : plain.impression(event));
    }
    assertThat(mapped)
        .hasSizeGreaterThan(4)
        .usingRecursiveFieldByFieldElementComparator()
        .isEqualTo(shown);
    assertThat(shown).noneMatch(parsed -> parsed.event() == null);
  }

  @Test
  void oneTableIsBothWithTheEntryThatIsShown() throws IOException {
    String file =
        String.join("\n", lines("yaml entry"))
            + """

              pipeline: table
              tasks: [{name: click, kind: binary, window: 10m}]
              features: [{name: item, kind: categorical}]
              models: [{name: main, kind: shared-bottom}]
              """;
    MessageReader reader = PipelineFile.parse(file, "docs/layouts.md").lines();
    ObjectNode row =
        JSON.createObjectNode()
            .put("id", "1")
            .put("timestamp", "2026-01-01 00:00:00+00:00")
            .put("item", "a")
            .put("click", "1");
    for (int clicks = 1; clicks >= 0; clicks--) {
      byte[] message = JSON.writeValueAsBytes(row.put("click", Integer.toString(clicks)));
      assertThat(reader.impressions(message)).extracting(Parsed::rejection).containsOnlyNulls();
      assertThat(reader.feedback(message, null)).hasSize(clicks);
    }
  }

  @Test
  void everyPresetIsTold() {
    assertThat(document.keys("Presets"))
        .containsAll(Arrays.stream(EventPresets.values()).map(EnumNames::of).toList());
  }
}
