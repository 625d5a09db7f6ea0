package dev.freshet.topics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PipelineSourceTest {

  private HttpServer server;
  private String at;

  @BeforeEach
  void serves() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    at = "http://127.0.0.1:" + server.getAddress().getPort();
    answers("/shop.yaml", 200, "pipeline: größe\n");
    answers("/gone.yaml", 410, "pipeline: shop\n");
    answers("/endless.yaml", 200, "#".repeat((1 << 20) + 1));
    server.start();
  }

  @AfterEach
  void stops() {
    server.stop(0);
  }

  @Test
  void readsFiles(@TempDir Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("a.yaml"), "pipeline: shop\n");
    assertThat(PipelineSource.of(file).text()).isEqualTo("pipeline: shop\n");
    assertThat(PipelineSource.of(file).path()).contains(file);
    assertThatThrownBy(() -> PipelineSource.of(folder.resolve("b.yaml")).text())
        .isInstanceOf(NoSuchFileException.class);
  }

  @Test
  void fetches() throws IOException {
    PipelineSource source = new PipelineSource(at + "/shop.yaml");
    assertThat(source.text()).isEqualTo("pipeline: größe\n");
    assertThat(source.path()).isEmpty();
    assertThat(new PipelineSource("HTTPS://host/x").path()).isEmpty();
  }

  @Test
  void tellsWhatWasAnsweredInstead() {
    assertFails(at + "/gone.yaml", "HTTP status 410");
    assertFails(at + "/none.yaml", "HTTP status 404");
    assertFails(at + "/endless.yaml", "longer than 1 MB");
    assertFails("http://127.0.0.1:1/shop.yaml", "cannot be read: connection refused");
    assertFails("http://nobody.invalid/shop.yaml", "cannot be read: the name cannot be resolved");
    assertFails("http://no host/shop.yaml", "not an address");
  }

  @Test
  void showsNoSecretOfAnAddress() {
    String secret = at.replace("//", "//me:secret@") + "/none.yaml?token=secret#secret";
    assertThat(new PipelineSource(secret)).hasToString(at + "/none.yaml");
    assertThatThrownBy(() -> new PipelineSource(secret).text())
        .hasMessageStartingWith(at + "/none.yaml: ")
        .hasMessageNotContaining("secret");
  }

  private static void assertFails(String address, String why) {
    assertThatThrownBy(() -> new PipelineSource(address).text())
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith(address + ": the pipeline file ")
        .hasMessageContaining(why)
        .hasNoCause(); // of which commands would tell the name
  }

  private void answers(String path, int status, String text) {
    byte[] body = text.getBytes(StandardCharsets.UTF_8);
    server.createContext(
        path,
        exchange -> {
          exchange.sendResponseHeaders(status, body.length);
          try (var out = exchange.getResponseBody()) {
            out.write(body);
          }
        });
  }
}
