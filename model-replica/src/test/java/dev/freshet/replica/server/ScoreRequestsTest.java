package dev.freshet.replica.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.core.events.Impression;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.replica.Prediction;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ScoreRequestsTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Pipeline pipeline = TestingPipelines.shop();
  private final ScoreRequests requests = new ScoreRequests(pipeline, 10);

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** Clients parse scores as numbers: what is none is null, and never a text. */
  @Test
  void scoresAreNumbersOrNull() throws Exception {
    List<Impression> impressions =
        requests.impressions(ScoreRequests.object(bytes("{\"impressions\": [{}]}")));
    Map<String, Double> scores = new LinkedHashMap<>();
    scores.put("click", Double.NaN);
    scores.put("purchase", 0.25);
    scores.put("revenue", Double.POSITIVE_INFINITY);
    Prediction prediction = new Prediction("9-1", scores, List.of("user"), List.of("item", "tags"));
    JsonNode one =
        JSON.readTree(ScoreRequests.answer("plain", impressions, List.of(prediction)))
            .path("scores")
            .get(0);
    assertThat(one.path("scores").toString())
        .isEqualTo("{\"click\":null,\"purchase\":0.25,\"revenue\":null}");
    assertThat(one.path("warnings").toString())
        .isEqualTo("{\"missing\":[\"user\"],\"unknown\":[\"item\",\"tags\"]}");
    Prediction known = new Prediction("9-1", scores, List.of(), List.of());
    assertThat(
            new String(
                ScoreRequests.answer("plain", impressions, List.of(known)), StandardCharsets.UTF_8))
        .doesNotContain("warnings");
  }

  @Test
  void aManifestIsToldWithNumbersOrNull() throws Exception {
    JsonNode told =
        ScoreRequests.manifest(
            bytes(
                "{\"version\":\"9-1\",\"chunks\":[{\"bytes\":1}],\"targetScale\":[1.0,\"NaN\",2.0],"
                    + "\"quality\":{\"click\":{\"auc\":\"NaN\",\"ne\":0.5}}}"));
    assertThat(told.toString())
        .isEqualTo(
            "{\"version\":\"9-1\",\"targetScale\":[1.0,null,2.0],"
                + "\"quality\":{\"click\":{\"auc\":null,\"ne\":0.5}}}");
  }
}
