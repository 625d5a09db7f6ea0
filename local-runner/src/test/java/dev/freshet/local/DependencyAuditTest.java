package dev.freshet.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The script images/audit, against an OSV of our own that answers in two pages. */
class DependencyAuditTest {

  private static final String SBOM =
      """
      {"components": [
        {"name": "snakeyaml", "version": "1.26", "purl": "pkg:maven/org.yaml/snakeyaml@1.26?type=jar"},
        {"name": "picocli", "version": "4.7.7", "purl": "pkg:maven/info.picocli/picocli@4.7.7?type=jar"},
        {"name": "model-core", "version": "1", "purl": "pkg:maven/dev.freshet/model-core@1?type=jar"},
        {"name": "pytorch-native-cpu", "version": "2.7.1",
         "purl": "pkg:maven/ai.djl.pytorch/pytorch-native-cpu@2.7.1?classifier=linux-x86_64"}]}
      """;

  private static final String FOUND =
      """
      {"id": "GHSA-%s", "aliases": ["CVE-%s"], "summary": "It reads too much.",
       "database_specific": {"severity": "HIGH"},
       "affected": [{"package": {"purl": "pkg:maven/org.yaml/snakeyaml"},
                     "ranges": [{"events": [{"introduced": "0"}, {"fixed": "2.0"}]}]}]}
      """;

  /** Knows of two things, on a page each. */
  private static final class TestingOsv implements AutoCloseable {
    private final HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    private final List<String> asked = new CopyOnWriteArrayList<>();

    TestingOsv() throws IOException {
      server.createContext("/v1/querybatch", this::batch);
      server.createContext(
          "/v1/vulns/",
          call -> {
            String id = call.getRequestURI().getPath().replaceAll(".*-", "");
            answer(call, FOUND.formatted(id, id));
          });
      server.start();
    }

    String address() {
      return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    private void batch(HttpExchange call) throws IOException {
      List<String> results = new ArrayList<>();
      for (JsonNode query : new ObjectMapper().readTree(call.getRequestBody()).path("queries")) {
        String purl = query.at("/package/purl").asText();
        asked.add(purl);
        boolean second = query.path("page_token").asText().equals("next");
        results.add(
            !purl.contains("snakeyaml")
                ? "{}"
                : second
                    ? "{\"vulns\": [{\"id\": \"GHSA-2\"}]}"
                    : "{\"vulns\": [{\"id\": \"GHSA-1\"}], \"next_page_token\": \"next\"}");
      }
      answer(call, "{\"results\": [" + String.join(",", results) + "]}");
    }

    private static void answer(HttpExchange call, String json) throws IOException {
      byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
      call.sendResponseHeaders(200, bytes.length);
      call.getResponseBody().write(bytes);
      call.close();
    }

    @Override
    public void close() {
      server.stop(0);
    }
  }

  @TempDir private Path folder;
  private Path sbom;

  @BeforeEach
  void write() throws Exception {
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/python3")), "skipped: Python 3 is not there");
    sbom = Files.writeString(folder.resolve("sbom.json"), SBOM);
  }

  private record Ran(int code, String said) {}

  private Ran audit(String osv, Path... sboms) throws Exception {
    List<String> command = new ArrayList<>(List.of("../images/audit"));
    for (Path one : sboms) {
      command.add(one.toString());
    }
    Path said = folder.resolve("said");
    ProcessBuilder process =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(said.toFile());
    process.environment().put("FRESHET_OSV", osv);
    process.environment().put("FRESHET_ACCEPTED", folder.resolve("accepted").toString());
    Process running = process.start();
    assertThat(running.waitFor(60, TimeUnit.SECONDS)).isTrue();
    return new Ran(running.exitValue(), Files.readString(said));
  }

  @Test
  void tellsWhatIsKnownOfEachPackage() throws Exception {
    try (TestingOsv osv = new TestingOsv()) {
      Ran ran = audit(osv.address(), sbom);
      assertThat(ran.code).as(ran.said).isEqualTo(1);
      assertThat(ran.said)
          .contains(
              "pkg:maven/org.yaml/snakeyaml@1.26: GHSA-1, CVE-1: HIGH: It reads too much. (mended in 2.0)")
          .contains("GHSA-2, CVE-2")
          .contains("4 packages of 1 SBOMs, 2 findings");
      assertThat(osv.asked)
          .contains("pkg:pypi/torch@2.7.1", "pkg:maven/info.picocli/picocli@4.7.7")
          .noneMatch(purl -> purl.contains("freshet"));
    }
  }

  @Test
  void whatIsAcceptedIsToldAndFailsNothing() throws Exception {
    Files.writeString(
        folder.resolve("accepted"),
        "# looked into\nCVE-1 we read no such files\nGHSA-2 nor these\n");
    try (TestingOsv osv = new TestingOsv()) {
      Ran ran = audit(osv.address(), sbom);
      assertThat(ran.code).as(ran.said).isZero();
      assertThat(ran.said).contains("-- accepted: we read no such files").contains("0 findings");
    }
  }

  @Test
  void withoutANetworkNothingIsKnown() throws Exception {
    Ran ran = audit("http://127.0.0.1:1", sbom);
    assertThat(ran.code).isEqualTo(3);
    assertThat(ran.said).contains("cannot be reached").contains("nothing was looked up");
    assertThat(audit("http://127.0.0.1:1", folder.resolve("none.json")).code).isEqualTo(2);
  }
}
