package dev.freshet.job.training;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.RawFeatures;
import dev.freshet.core.features.ExampleEncoder;
import dev.freshet.core.labels.LabelKind;
import dev.freshet.core.labels.LabeledExample;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.job.TestingDocument;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The records of the metrics topic are what {@code docs/events.md} shows. */
class MetricsDocumentTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** Of four impressions one has no user and no price, and all have an item seen once only. */
  @Test
  void aRecordHasTheKeysThatAreToldAndCountsFields() throws Exception {
    Pipeline pipeline = TestingPipelines.shop("batch: 64", "batch: 4");
    ExampleEncoder encoder = new ExampleEncoder(pipeline.schema());
    TaskLabel no = new TaskLabel(LabelKind.FINAL, 0, 1, 1, -1, true);
    JsonNode last;
    try (var harness = TestingTrainHarness.open(pipeline, null)) {
      for (int i = 0; i < 4; i++) {
        String[][] categories = {
          {"t", "t"}, i == 0 ? new String[0] : new String[] {"u"}, {"i" + i}
        };
        RawFeatures features = new RawFeatures(categories, new double[] {i == 0 ? Double.NaN : 5});
        Impression impression = new Impression("x" + i, 1_767_225_600_000L, features, null);
        TaskLabel[] labels = Collections.nCopies(3, no).toArray(TaskLabel[]::new);
        harness.feed(List.of(encoder.encode(new LabeledExample(impression, 1, labels))));
      }
      harness.prepareSnapshotPreBarrier(1); // waits for the step, publishes and reports
      last = newest(harness);
    }
    assertThat(last.path("fieldExamples").asLong()).isEqualTo(4);
    assertThat(last.path("fields").path("user").toString()).isEqualTo("{\"absent\":1}");
    assertThat(last.path("fields").path("item").toString()).isEqualTo("{\"unknown\":4}");
    assertThat(last.path("fields").path("price").path("absent").asLong()).isEqualTo(1);
    JsonNode shown =
        JSON.readTree(
            new TestingDocument("events.md").blocks("json metrics").get(0).lines().get(0));
    assertThat(names(last)).isEqualTo(names(shown));
  }

  private static JsonNode newest(TestingTrainHarness harness) throws IOException {
    JsonNode newest = null;
    for (var record : harness.getSideOutput(TrainOperator.METRICS)) {
      newest = JSON.readTree(record.getValue());
    }
    return newest;
  }

  private static List<String> names(JsonNode record) {
    List<String> names = new ArrayList<>();
    record.fieldNames().forEachRemaining(names::add);
    return names;
  }
}
