package dev.freshet.local.commands;

import dev.freshet.core.settings.CodeVersion;
import dev.freshet.local.run.JobFailedException;
import dev.freshet.local.run.RefusedException;
import dev.freshet.local.run.RootCause;
import dev.freshet.server.ServeCommand;
import dev.freshet.server.options.CommandRun;
import java.io.PrintWriter;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The command line and its subcommands. */
@Command(
    name = "freshet",
    description =
        "Learns click, conversion and revenue models from Kafka events while they arrive.",
    mixinStandardHelpOptions = true,
    versionProvider = FreshetCommand.Version.class,
    subcommands = {
      DemoCommand.class,
      ReplayCommand.class,
      RunCommand.class,
      BrokerCommand.class,
      SubmitCommand.class,
      ExperimentCommand.class,
      TuneCommand.class,
      ImportCommand.class,
      CheckCommand.class,
      TopicsCommand.class,
      ModelsCommand.class,
      PredictCommand.class,
      ReproduceCommand.class,
      ServeCommand.class,
      SimulateCommand.class,
      DeviceCommand.class,
      HelpCommand.class
    })
public final class FreshetCommand {

  private FreshetCommand() {}

  static CommandLine line() {
    return new CommandLine(new FreshetCommand());
  }

  /** Runs a command line; its exit code is one of those in docs/command-line.md. */
  public static int run(String... args) {
    CommandLine line = line();
    if (args.length == 0) {
      line.usage(line.getErr());
      return CommandRun.BAD_USAGE;
    }
    return CommandRun.run(line, FreshetCommand::report, args);
  }

  /** Lines that {@code --version} prints. */
  static final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {"freshet " + CodeVersion.CURRENT};
    }
  }

  private static int report(Exception cause, PrintWriter err) {
    if (cause instanceof RefusedException) {
      err.println(cause.getMessage());
      return CommandRun.BAD_USAGE;
    }
    err.println(cause instanceof JobFailedException ? cause.getMessage() : RootCause.of(cause));
    err.println("the log file has the details: " + System.getProperty("freshet.log"));
    LoggerFactory.getLogger(FreshetCommand.class).error("Command failed", cause);
    return CommandRun.FAILED;
  }
}
