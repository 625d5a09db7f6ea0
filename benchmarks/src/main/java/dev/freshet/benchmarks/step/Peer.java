package dev.freshet.benchmarks.step;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.benchmarks.PeerProcess;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * {@code benchmarks/peers/step.py} in a process of its own, which computes while it is asked and
 * waits meanwhile, so that its turns are taken between those of this process.
 */
final class Peer implements AutoCloseable {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Process process;
  private final BufferedReader answers;
  private final BufferedWriter questions;

  /**
   * @param python with PyTorch
   * @param home of Freshet's sources
   * @param folder of {@link PeerFiles}
   */
  Peer(Path python, Path home, Path folder, int threads) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(
            python.toString(),
            home.resolve("benchmarks/peers/step.py").toString(),
            folder.toString(),
            Integer.toString(threads));
    builder.redirectError(ProcessBuilder.Redirect.INHERIT);
    builder.environment().put("PYTHONDONTWRITEBYTECODE", "1");
    builder.environment().put("OMP_NUM_THREADS", Integer.toString(threads));
    builder
        .environment()
        .put("PYTHONPATH", home.resolve("model-core/src/main/resources/torchscript").toString());
    process = builder.start();
    answers = process.inputReader(StandardCharsets.UTF_8);
    questions = process.outputWriter(StandardCharsets.UTF_8);
  }

  /**
   * How far it is from what was found here, on the first batch.
   *
   * @param version of its PyTorch
   * @param forward largest difference of a prediction
   * @param gradient largest difference within a tensor's gradient divided by the largest value
   *     there, of all tensors
   */
  record Difference(String version, double forward, double gradient) {}

  Difference check() {
    JsonNode answer = ask("check");
    return new Difference(
        answer.get("version").asText(),
        answer.get("forward").asDouble(),
        answer.get("gradient").asDouble());
  }

  /** Milliseconds of a step, over so many of them. */
  double steps(Clock clock, int times) {
    return ask("step " + times).get(clock.toString()).asDouble();
  }

  private JsonNode ask(String question) {
    try {
      questions.write(question + "\n");
      questions.flush();
      String answer = answers.readLine();
      if (answer == null) {
        throw new IllegalStateException("the peer has ended; what it said is above");
      }
      return JSON.readTree(answer);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() throws IOException {
    PeerProcess.end(process);
  }
}
