package dev.freshet.local.commands;

import dev.freshet.core.settings.CodeVersion;
import dev.freshet.core.settings.InvalidSettingsException;
import dev.freshet.local.run.JobFailedException;
import dev.freshet.local.run.RefusedException;
import dev.freshet.local.run.RootCause;
import dev.freshet.topics.NoBrokerException;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.common.errors.TimeoutException;
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
      HelpCommand.class
    })
public final class FreshetCommand {

  private static final int BAD_USAGE = 2;
  private static final int FAILED = 1;
  private static final int NO_BROKER = 4;

  private FreshetCommand() {}

  static CommandLine line() {
    return new CommandLine(new FreshetCommand());
  }

  /** Runs a command line; its exit code is one of those in docs/command-line.md. */
  public static int run(String... args) {
    CommandLine line = line();
    // A misspelt option behind a list of files is no file.
    line.setUnmatchedOptionsAllowedAsOptionParameters(false);
    line.setExecutionExceptionHandler((e, command, parsed) -> report(e, command));
    line.setParameterExceptionHandler(
        (e, given) -> {
          // What is missing or has no value may be so because of one that is misspelt.
          List<String> unknown = UnknownOptions.of(e.getCommandLine(), given);
          PrintWriter err = e.getCommandLine().getErr();
          if (unknown.isEmpty()) {
            err.println(e.getMessage() + suggestion(e));
          }
          unknown.forEach(err::println);
          return BAD_USAGE;
        });
    if (args.length == 0) {
      line.usage(line.getErr());
      return BAD_USAGE;
    }
    return line.execute(args);
  }

  private static String suggestion(CommandLine.ParameterException e) {
    List<String> near =
        e instanceof CommandLine.UnmatchedArgumentException unmatched
            ? unmatched.getSuggestions()
            : List.of();
    return near.isEmpty() ? "" : "; did you mean '" + near.get(0) + "'?";
  }

  /** What {@code --version} prints. */
  static final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {"freshet " + CodeVersion.CURRENT};
    }
  }

  private static int report(Exception e, CommandLine command) {
    Throwable cause = e instanceof ExecutionException && e.getCause() != null ? e.getCause() : e;
    if (cause instanceof Usage
        || cause instanceof RefusedException
        || cause instanceof InvalidSettingsException) {
      command.getErr().println(cause.getMessage());
      return BAD_USAGE;
    }
    if (cause instanceof NoBrokerException) {
      command.getErr().println(cause.getMessage());
      return NO_BROKER;
    }
    if (cause instanceof TimeoutException) {
      command.getErr().println("Kafka does not answer, or lacks the topic: " + cause.getMessage());
      return FAILED;
    }
    command
        .getErr()
        .println(cause instanceof JobFailedException ? cause.getMessage() : RootCause.of(cause));
    command.getErr().println("the log file has the details: " + System.getProperty("freshet.log"));
    LoggerFactory.getLogger(FreshetCommand.class).error("Command failed", cause);
    return FAILED;
  }
}
