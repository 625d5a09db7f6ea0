package dev.freshet.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** What a job manager says of a job. */
final class TestingFlink {

  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private final TestingHttp http = new TestingHttp(PATIENCE);
  private final String address;

  TestingFlink(String address) {
    this.address = address;
  }

  /** An answer; empty while the job manager is away or does not know what is asked. */
  Optional<JsonNode> get(String path) {
    return http.answer(
        HttpRequest.newBuilder(URI.create(address + path)).timeout(PATIENCE).build());
  }

  String state(String job) {
    return get("/jobs/" + job).map(answer -> answer.path("state").asText()).orElse("");
  }

  int slots() {
    return get("/overview").map(answer -> answer.path("slots-total").asInt()).orElse(0);
  }

  /** Ids of the task managers that run something. */
  List<String> busy() {
    List<String> busy = new ArrayList<>();
    get("/taskmanagers")
        .ifPresent(
            told -> {
              for (JsonNode one : told.path("taskmanagers")) {
                if (one.path("freeSlots").asInt() < one.path("slotsNumber").asInt()) {
                  busy.add(one.path("id").asText());
                }
              }
            });
    return busy;
  }

  /**
   * Stops a job with a savepoint.
   *
   * @param drain whether time is over, so that every label is told
   * @return where the savepoint is; empty if none could be made, and the job goes on
   */
  Optional<String> stop(String job, boolean drain, Path folder) throws Exception {
    String body = "{\"drain\":%s,\"targetDirectory\":\"%s\"}".formatted(drain, folder.toUri());
    Optional<JsonNode> begun =
        http.answer(
            HttpRequest.newBuilder(URI.create(address + "/jobs/" + job + "/stop"))
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(body))
                .timeout(
                    Duration.ofMinutes(1)) // taken, but not known to be, it could not be followed
                .build());
    if (begun.isEmpty()) {
      return Optional.empty();
    }
    String path = "/jobs/" + job + "/savepoints/" + begun.get().path("request-id").asText();
    while (true) {
      Optional<JsonNode> told = get(path);
      if (told.isPresent() && told.get().at("/status/id").asText().equals("COMPLETED")) {
        String location = told.get().at("/operation/location").asText();
        if (location.isEmpty()) {
          System.out.println("No savepoint: " + told.get().at("/operation"));
        }
        return Optional.of(location).filter(where -> !where.isEmpty());
      }
      TimeUnit.MILLISECONDS.sleep(200);
    }
  }
}
