package dev.freshet.local.commands;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.freshet.core.models.torch.TorchDevice;
import dev.freshet.server.options.Usage;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** On a machine without a GPU, and with the processor in a GPU's place. */
class DeviceCommandTest {

  private static final TorchDevice APART = new TorchDevice("cpu", true, false);

  private final DeviceCommand command = new DeviceCommand();
  private final CommandLine line = new CommandLine(command);
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int run(String... args) {
    line.setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
    return line.execute(args);
  }

  @Test
  void withoutAGpuTheCpuIsMeasuredAndTheCodeSaysSo() throws IOException {
    int code = run("--models", "esmm", "--batches", "16,32", "--for", "1ms", "--json");
    assertThat(code).isEqualTo(DeviceCommand.NO_GPU);
    assertThat(err.toString()).contains("No GPU: this PyTorch is built without CUDA");
    assertThat(err.toString().lines()).noneMatch(said -> said.endsWith(" "));
    JsonNode report = new ObjectMapper().readTree(out.toString());
    assertThat(report.path("pytorch").asText()).startsWith("2.7.1");
    assertThat(report.path("device").isNull()).isTrue();
    assertThat(report.path("exitCode").asInt()).isEqualTo(DeviceCommand.NO_GPU);
    for (String batch : new String[] {"16", "32"}) {
      assertThat(report.at("/examplesPerSecond/esmm/" + batch + "/cpu").asDouble()).isPositive();
    }
  }

  @Test
  void aDeviceIsComparedAndMeasuredBesideTheCpu() {
    line.parseArgs("--models", "esmm,htlnet", "--batches", "16", "--for", "1ms");
    ObjectNode report = JsonNodeFactory.instance.objectNode();
    PrintWriter writer = new PrintWriter(out);
    assertThat(command.compare(APART, writer, report)).isTrue();
    command.measure(APART, writer, report);
    assertThat(report.at("/differences/htlnet").asDouble(1)).isZero();
    assertThat(report.at("/examplesPerSecond/htlnet/16/device").asDouble()).isPositive();
  }

  /** A machine whose GPU fails for one model still tells of the others. */
  @Test
  void aModelThatFailsIsToldAndTheOthersGoOn() {
    line.parseArgs("--models", "esmm,mmoe", "--batches", "16", "--for", "1ms");
    ObjectNode report = JsonNodeFactory.instance.objectNode();
    PrintWriter writer = new PrintWriter(out);
    TorchDevice none = TorchDevice.gpu(0);
    assertThat(command.compare(none, writer, report)).isFalse();
    command.measure(none, writer, report);
    assertThat(out.toString()).contains("esmm", "mmoe", "FAILED: ");
    assertThat(report.at("/examplesPerSecond/mmoe/16/cpu").asDouble()).isPositive();
    assertThat(report.at("/examplesPerSecond/mmoe/16/failed").asText()).isNotEmpty();
  }

  @Test
  void wrongArgumentsAreRefused() {
    line.parseArgs("--models", "tower,mmoe", "--batches", "0", "--gpu", "-1");
    assertThatThrownBy(command::call).hasMessageContainingAll("'tower'", "'0'", "'-1'");
    line.parseArgs("--models", "tower");
    assertThatThrownBy(command::call).isInstanceOf(Usage.class).hasMessageContaining("allowed");
    line.parseArgs("--batches", "70000");
    assertThatThrownBy(command::call).isInstanceOf(Usage.class).hasMessageContaining("65536");
  }
}
