package dev.freshet.benchmarks.serving;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.benchmarks.MillionRows;
import dev.freshet.benchmarks.PeerProcess;
import dev.freshet.benchmarks.Raw;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** {@code benchmarks/peers/serve.py} in a process of its own, with the weights of a trainer. */
final class ServingPeer implements AutoCloseable {

  private final Process process;
  private final int port;

  /**
   * @param python with PyTorch and uvicorn
   * @param home of Freshet's sources
   */
  ServingPeer(Path python, Path home, MillionRows trainer) throws IOException {
    Path folder = Files.createTempDirectory("serving-peer");
    try (OutputStream out = Files.newOutputStream(folder.resolve("model.pt"))) {
      trainer.writeGraph(out);
    }
    Raw.write(folder.resolve("rows.f32"), trainer.rowsAndUnknown());
    Raw.write(folder.resolve("keys.i64"), trainer.rowNumbers());
    new ObjectMapper()
        .writeValue(
            folder.resolve("case.json").toFile(),
            Map.of("task", "click", "width", trainer.width(), "fields", trainer.fields()));
    process =
        new ProcessBuilder(
                python.toString(),
                home.resolve("benchmarks/peers/serve.py").toString(),
                folder.toString(),
                "1")
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    String first = process.inputReader(StandardCharsets.UTF_8).readLine();
    if (first == null) {
      throw new IllegalStateException("the peer has ended; what it said is above");
    }
    port = Integer.parseInt(first);
  }

  int port() {
    return port;
  }

  @Override
  public void close() throws IOException {
    PeerProcess.end(process);
  }
}
