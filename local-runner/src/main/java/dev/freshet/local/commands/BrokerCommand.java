package dev.freshet.local.commands;

import dev.freshet.local.broker.EmbeddedBroker;
import dev.freshet.local.run.RunFolder;
import dev.freshet.local.signals.EndRequest;
import dev.freshet.server.options.PathOption;
import dev.freshet.server.options.Usage;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
    name = "broker",
    description = {
      "Serves the topics that `demo` or `replay` left in a --data-dir, so that what was learnt there"
          + " can be used: by models, predict, serve, reproduce, or anything else that reads Kafka.",
      "On this machine only, until Ctrl-C."
    },
    mixinStandardHelpOptions = true)
final class BrokerCommand implements Callable<Integer> {

  @Option(
      names = "--data-dir",
      paramLabel = "DIR",
      required = true,
      description = "The folder of a run that has ended.")
  private Path dataDir;

  @Override
  public Integer call() throws Exception {
    PathOption.folder("--data-dir", dataDir);
    Path topics = dataDir.resolve("kafka");
    if (!Files.isDirectory(topics)) {
      throw new Usage(
          "--data-dir: '"
              + dataDir
              + "' holds no topics; allowed: the folder of a demo or a replay. Those of `run` are on"
              + " its brokers");
    }
    PrintStream out = System.out;
    try (EndRequest end = EndRequest.listen(out);
        RunFolder folder = RunFolder.kept(dataDir, false);
        EmbeddedBroker broker = EmbeddedBroker.start(topics)) {
      end.atOnce(folder::abandon);
      out.printf(
          "Kafka at %s, with the topics of %s, until Ctrl-C. In another terminal, for example:%n"
              + "  ./freshet models list --bootstrap %s --pipeline FILE%n",
          broker.bootstrap(), dataDir, broker.bootstrap());
      end.await();
      return end.exitCode();
    }
  }
}
