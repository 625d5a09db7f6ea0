package dev.freshet.local.commands;

import dev.freshet.core.models.torch.TorchDevice;
import dev.freshet.core.models.torch.TorchLibrary;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TrainingSettings;
import dev.freshet.core.snapshot.Manifest;
import dev.freshet.replica.ModelTopic;
import dev.freshet.replica.Versions;
import dev.freshet.server.options.TopicOptions;
import dev.freshet.server.options.Usage;
import dev.freshet.topics.Brokers;
import dev.freshet.training.ModelTrainer;
import dev.freshet.training.TrainingDevices;
import dev.freshet.training.publishing.SnapshotWriter;
import dev.freshet.training.reproduction.Reproduction;
import dev.freshet.training.reproduction.Reproduction.Result;
import dev.freshet.training.reproduction.TrainingLog;
import dev.freshet.training.reproduction.TrainingLog.Mark;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

@Command(
    name = "reproduce",
    description =
        "Makes a version again: restores the training state of its base from the training log, learns"
            + " the same batches, and compares the bytes. Exit code 0 if they are the same, 1 if not.")
final class ReproduceCommand implements Callable<Integer> {

  private static final Duration POLL = Duration.ofMillis(500);

  @Mixin private TopicOptions topic;
  @Mixin private VersionOption version;
  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws Exception {
    Pipeline pipeline = topic.pipeline();
    String model = topic.model(pipeline);
    Brokers.require(pipeline);
    if (pipeline.trainingLogTopic() == null) {
      throw new Usage(
          "kafka.topics: no training-log; a pipeline that writes none cannot be reproduced");
    }
    List<Manifest> chain = Versions.chain(pipeline, model, version.version());
    if (chain.isEmpty()) {
      throw version.notThere(model);
    }
    Manifest last = chain.get(chain.size() - 1);
    if (!pipeline.fingerprint().equals(last.configuration())) {
      throw new Usage(
          "version " + last.version() + " was trained with other settings than the pipeline has");
    }
    return reproduce(pipeline, model, chain) ? 0 : 1;
  }

  private boolean reproduce(Pipeline pipeline, String model, List<Manifest> chain)
      throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    String wanted = chain.get(chain.size() - 1).version();
    List<Result> different = new ArrayList<>();
    try (ModelTrainer trainer =
            new ModelTrainer(
                pipeline.context(pipeline.model(model)),
                pipeline.training(),
                device(pipeline, model));
        ModelTopic log = ModelTopic.trainingLog(pipeline, model)) {
      Reproduction again =
          new Reproduction(
              chain,
              trainer,
              new SnapshotWriter(pipeline),
              result -> print(out, result, different));
      do {
        log.poll(POLL).forEach(record -> Mark.startingAt(record).ifPresent(again::seen));
      } while (!log.atEnd());
      Optional<Long> start = again.plan();
      if (start.isEmpty()) {
        throw new Usage("the training log does not reach back to before version " + wanted);
      }
      out.printf("%s: going on from example %,d%n", wanted, start.get());
      out.flush();
      log.rewind();
      TrainingLog.Reader reader = new TrainingLog.Reader();
      do {
        for (var record : log.poll(POLL)) {
          var entry = reader.accept(record);
          if (entry.isPresent()) {
            again.learn(entry.get());
          }
        }
      } while (!again.done() && !log.atEnd());
      out.printf(
          "%,d batches learnt again, up to example %,d%n", again.batches(), trainer.examples());
      if (!again.done()) {
        throw new IOException("the training log ends before version " + wanted);
      }
    }
    out.println(
        different.isEmpty()
            ? "the same bytes"
            : "not the same: other libraries, another kind of processor, or a defect");
    out.flush();
    return different.isEmpty();
  }

  /** As a trainer on this machine would have it. */
  private static TorchDevice device(Pipeline pipeline, String model) {
    TrainingSettings.Device wanted = pipeline.training().device();
    int seen = wanted == TrainingSettings.Device.CPU ? 0 : TorchLibrary.gpus();
    return TrainingDevices.choose(
        wanted, List.of(), seen, pipeline.models().indexOf(pipeline.model(model)));
  }

  private static void print(PrintWriter out, Result result, List<Result> different) {
    Manifest manifest = result.published();
    try {
      List<String> differences = result.differences();
      if (!differences.isEmpty()) {
        different.add(result);
      }
      out.printf(
          "%s %s  %,d bytes  sha256 %s  %s%n",
          manifest.version(),
          manifest.type(),
          manifest.bytes(),
          result.made().sha256(),
          differences.isEmpty() ? "same" : "differs in " + String.join(", ", differences));
      out.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
