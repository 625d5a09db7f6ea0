package dev.freshet.server;

import dev.freshet.core.settings.CodeVersion;
import dev.freshet.server.options.CommandRun;
import java.io.PrintWriter;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;

/** Start here: {@code freshet serve} as a program of its own, without Flink and the simulator. */
public final class ModelServer {

  private ModelServer() {}

  public static void main(String[] args) {
    System.exit(run(args));
  }

  /**
   * Runs with the options of {@code serve}; its exit code is one of those in docs/command-line.md.
   */
  static int run(String... args) {
    CommandLine line = new CommandLine(new ServeCommand()).setCommandName("freshet-server");
    line.getCommandSpec().version("freshet-server " + CodeVersion.CURRENT);
    return CommandRun.run(line, ModelServer::report, args);
  }

  private static int report(Exception failure, PrintWriter err) {
    String message = failure.getMessage();
    err.println(message == null ? failure.getClass().getSimpleName() : message);
    LoggerFactory.getLogger(ModelServer.class).error("The server ended", failure);
    return CommandRun.FAILED;
  }
}
