package dev.freshet.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Optional;

/** Asks processes that may be away. */
final class TestingHttp {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final HttpClient client;

  /**
   * @param patience until somebody is there
   */
  TestingHttp(Duration patience) {
    client = HttpClient.newBuilder().connectTimeout(patience).build();
  }

  /** What is answered; empty while nobody is there, or if the answer is no. */
  Optional<JsonNode> answer(HttpRequest request) {
    try {
      HttpResponse<String> answer = client.send(request, BodyHandlers.ofString());
      return answer.statusCode() / 100 == 2
          ? Optional.of(JSON.readTree(answer.body()))
          : Optional.empty();
    } catch (IOException e) {
      return Optional.empty();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    }
  }
}
