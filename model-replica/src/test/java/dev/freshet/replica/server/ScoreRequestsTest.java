package dev.freshet.replica.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.core.events.Impression;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.replica.Prediction;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;

class ScoreRequestsTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Pipeline pipeline = TestingPipelines.shop();
  private final Instant now = Instant.ofEpochMilli(1_700_000_000_000L);
  private final ScoreRequests requests =
      new ScoreRequests(pipeline, 10, Clock.fixed(now, ZoneOffset.UTC));

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void anImpressionWithoutATimeIsOfNow() throws Exception {
    JsonNode request =
        ScoreRequests.object(bytes("{\"impressions\": [{}, {\"event_time\": 1690000000000}]}"));
    assertThat(requests.impressions(request))
        .extracting(Impression::eventTime)
        .containsExactly(now.toEpochMilli(), 1_690_000_000_000L);
  }

  /** Clients parse scores as numbers: what is none is null, and never a text. */
  @Test
  void scoresAreNumbersOrNull() throws Exception {
    JsonNode request = ScoreRequests.object(bytes("{\"impressions\": [{}]}"));
    List<Impression> impressions = requests.impressions(request);
    Map<String, Double> scores = new LinkedHashMap<>();
    scores.put("click", Double.NaN);
    scores.put("purchase", 0.25);
    scores.put("revenue", Double.POSITIVE_INFINITY);
    Prediction prediction = new Prediction("9-1", scores, List.of("user"), List.of("item", "tags"));
    JsonNode one =
        JSON.readTree(requests.answer("plain", request, impressions, List.of(prediction)))
            .path("scores")
            .get(0);
    assertThat(one.path("scores").toString())
        .isEqualTo("{\"click\":null,\"purchase\":0.25,\"revenue\":null}");
    assertThat(one.path("warnings").toString())
        .isEqualTo("{\"missing\":[\"user\"],\"unknown\":[\"item\",\"tags\"]}");
    Prediction known = new Prediction("9-1", scores, List.of(), List.of());
    assertThat(
            new String(
                requests.answer("plain", request, impressions, List.of(known)),
                StandardCharsets.UTF_8))
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

  @Test
  void allThatIsWrongIsToldAtOnce() throws Exception {
    JsonNode request =
        ScoreRequests.object(
            bytes(
                "{\"impressions\": [{}, {\"impression_id\": \"\", \"event_time\": 3, \"features\":"
                    + " {\"user\": [1], \"price\": \"dear\"}, \"served\": {\"model\": [],"
                    + " \"scores\": {\"click\": \"high\"}}}, 7, {\"features\": 3}]}"));
    assertThatThrownBy(() -> requests.impressions(request))
        .isInstanceOf(Refused.class)
        .extracting(e -> e.getMessage().lines().map(line -> line.split(":")[0]).toList())
        .asInstanceOf(InstanceOfAssertFactories.LIST)
        .containsExactlyInAnyOrder(
            "impressions[1].impression_id",
            "impressions[1].event_time",
            "impressions[1].features.user",
            "impressions[1].features.price",
            "impressions[1].served.scores.click",
            "impressions[1].served.model",
            "impressions[2].message",
            "impressions[3].features");
    assertThat(requests.fieldCounts().impressions()).as("each is counted once").isEqualTo(1);
  }

  @Test
  void aRequestThatIsAllWrongIsNotToldWithoutEnd() {
    JsonNode request =
        assertDoesNotThrow(
            () ->
                ScoreRequests.object(
                    bytes(
                        "{\"impressions\": ["
                            + "{\"features\": {\"user\": [], \"item\": {}, \"price\": []}},"
                                .repeat(9)
                            + "{}]}")));
    assertThatThrownBy(() -> requests.impressions(request))
        .extracting(e -> e.getMessage().lines().count())
        .isEqualTo(20L);
  }

  @Test
  void misspeltFieldsAreNamed() throws Exception {
    JsonNode request =
        ScoreRequests.object(
            bytes(
                "{\"impressions\": [{\"features\": {\"uesr\": 1, \"item\": 2, \"itm\": 2, \"other\":"
                    + " 3}}]}"));
    Prediction prediction =
        new Prediction("9-1", Map.of("click", 0.5), List.of("user", "price"), List.of());
    byte[] answer =
        requests.answer("plain", request, requests.impressions(request), List.of(prediction));
    assertThat(JSON.readTree(answer).path("scores").get(0).path("warnings").toString())
        .as("item is there, so itm is something else")
        .isEqualTo("{\"missing\":[\"user\",\"price\"],\"misspelt\":{\"uesr\":\"user\"}}");
  }
}
