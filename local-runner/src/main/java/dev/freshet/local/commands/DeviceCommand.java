package dev.freshet.local.commands;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.freshet.core.models.Models;
import dev.freshet.core.models.torch.TorchDevice;
import dev.freshet.core.models.torch.TorchLibrary;
import dev.freshet.local.device.DeviceCheck;
import dev.freshet.local.run.Verdict;
import dev.freshet.server.options.DurationConverter;
import dev.freshet.server.options.Usage;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
    name = "device",
    description = {
      "Tells whether training works on this machine's GPU, whether it gives what the CPU gives, and"
          + " how fast both are.",
      "Exit code 5: there is no GPU, and the CPU alone was measured."
    },
    mixinStandardHelpOptions = true)
final class DeviceCommand implements Callable<Integer> {

  /** Exit code where there is no GPU. */
  static final int NO_GPU = 5;

  /** The contrast of AdaFTR is of each example with each other: 64 k of them do not fit. */
  private static final int LARGEST_CONTRAST = 4096;

  @Spec private CommandSpec spec;

  @Option(
      names = "--gpu",
      paramLabel = "N",
      defaultValue = "0",
      description = "Index of the GPU. Default: ${DEFAULT-VALUE}.")
  private int gpu;

  @Option(
      names = "--models",
      paramLabel = "KIND",
      split = ",",
      description = "Kinds of models. Default: all.")
  private List<String> kinds = List.copyOf(Models.kinds().keySet());

  @Option(
      names = "--batches",
      paramLabel = "N",
      split = ",",
      defaultValue = "1024,4096,16384,65536",
      description = "Batch sizes at which speed is measured. Default: ${DEFAULT-VALUE}.")
  private List<Integer> batches;

  @Option(
      names = "--for",
      paramLabel = "TIME",
      defaultValue = "1s",
      converter = DurationConverter.class,
      description = "How long each speed is measured. Default: ${DEFAULT-VALUE}.")
  private Duration time;

  @Option(
      names = "--json",
      description = "Print what is found to standard error, and as one JSON object last.")
  private boolean json;

  @Override
  public Integer call() {
    List<String> wrong = new ArrayList<>();
    for (String kind : kinds) {
      if (!Models.kinds().containsKey(kind)) {
        wrong.add(
            "--models: '" + kind + "'; allowed: " + String.join(", ", Models.kinds().keySet()));
      }
    }
    for (int batch : batches) {
      if (batch < 1 || batch > 65_536) {
        wrong.add("--batches: '" + batch + "'; allowed: 1 to 65536");
      }
    }
    if (gpu < 0) {
      wrong.add("--gpu: '" + gpu + "'; allowed: 0 or more");
    }
    if (!wrong.isEmpty()) {
      throw new Usage(String.join(System.lineSeparator(), wrong));
    }
    PrintWriter out = json ? spec.commandLine().getErr() : spec.commandLine().getOut();
    ObjectNode report = JsonNodeFactory.instance.objectNode();
    TorchDevice device = device(out, report);
    boolean same = device == null || compare(device, out, report);
    measure(device, out, report);
    int code = device == null ? NO_GPU : same ? 0 : Verdict.CODE;
    if (json) {
      spec.commandLine().getOut().println(report.put("exitCode", code));
    }
    return code;
  }

  /** Tells what there is; null if that is no GPU. */
  private @Nullable TorchDevice device(PrintWriter out, ObjectNode report) {
    TorchLibrary.Build build = TorchLibrary.build();
    int seen = TorchLibrary.gpus();
    out.printf("PyTorch %s from %s%n", build.version(), build.folder());
    out.printf("built with %s%n", String.join(", ", build.features()));
    report.put("pytorch", build.version()).put("folder", build.folder()).put("gpus", seen);
    build.features().forEach(report.putArray("features")::add);
    TorchDevice device = null;
    String why = null;
    if (seen == 0) {
      why = TorchLibrary.whyNoGpu();
    } else if (gpu >= seen) {
      throw new Usage("--gpu: '" + gpu + "'; allowed: 0 to " + (seen - 1));
    } else {
      device = TorchDevice.gpu(gpu);
      TorchLibrary.selfTest(device);
    }
    report.put("device", device == null ? null : device.name()).put("why", why);
    if (device == null) {
      out.printf("No GPU: %s%nThe CPU alone is measured.%n", why);
    } else {
      out.printf("%d GPUs are seen; this is about %s%n", seen, device);
    }
    out.flush();
    return device;
  }

  /** True if all models do on the device what they do on the CPU. */
  boolean compare(TorchDevice device, PrintWriter out, ObjectNode report) {
    out.printf("%nLargest difference between %s and the CPU after two steps%n", device);
    ObjectNode differences = report.putObject("differences");
    boolean same = true;
    for (String kind : kinds) {
      String said;
      boolean good = false;
      try {
        double off = new DeviceCheck(kind).difference(device);
        good = off <= DeviceCheck.TOLERANCE;
        said = String.format(Locale.ROOT, "%.2g%s", off, good ? "" : "  TOO LARGE");
        differences.put(kind, off);
      } catch (RuntimeException e) {
        said = "FAILED: " + TorchLibrary.reason(e);
        differences.put(kind, TorchLibrary.reason(e));
      }
      same &= good;
      out.printf("  %-14s %s%n", kind, said);
      out.flush();
    }
    return same;
  }

  void measure(@Nullable TorchDevice device, PrintWriter out, ObjectNode report) {
    out.printf("%nExamples a second, predicted, scored and learnt%n");
    out.println(line("model", "batch", "cpu", device == null ? "" : device.toString()));
    ObjectNode speeds = report.putObject("examplesPerSecond");
    for (String kind : kinds) {
      DeviceCheck check = new DeviceCheck(kind);
      ObjectNode of = speeds.putObject(kind);
      for (int batch : batches) {
        if (kind.equals("adaftr") && batch > LARGEST_CONTRAST) {
          out.println(line(kind, String.valueOf(batch), "too large", ""));
          continue;
        }
        ObjectNode at = of.putObject(String.valueOf(batch));
        double cpu = check.examplesPerSecond(TorchDevice.HOST, batch, time);
        at.put("cpu", cpu);
        String there = "";
        if (device != null) {
          try {
            double speed = check.examplesPerSecond(device, batch, time);
            at.put("device", speed);
            there = String.format(Locale.ROOT, "%,.0f", speed);
          } catch (RuntimeException e) {
            at.put("failed", TorchLibrary.reason(e));
            there = "FAILED: " + TorchLibrary.reason(e);
          }
        }
        out.println(
            line(kind, String.valueOf(batch), String.format(Locale.ROOT, "%,.0f", cpu), there));
        out.flush();
      }
    }
  }

  private static String line(String model, String batch, String cpu, String device) {
    return "  %-14s %8s %12s %12s".formatted(model, batch, cpu, device).stripTrailing();
  }
}
