package dev.freshet.server.options;

import dev.freshet.core.settings.InvalidSettingsException;
import dev.freshet.topics.NoBrokerException;
import dev.freshet.topics.PipelineSource;
import java.io.PrintWriter;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.TimeoutException;
import picocli.CommandLine;

/**
 * Runs a command line: what is wrong is one clear line each, exit codes are those of
 * docs/command-line.md.
 */
public final class CommandRun {

  public static final int FAILED = 1;
  public static final int BAD_USAGE = 2;
  public static final int NO_BROKER = 4;

  private CommandRun() {}

  /** Tells of what made a command fail and is not known to all of them; its exit code. */
  public interface Failures {
    int told(Exception failure, PrintWriter err);
  }

  /**
   * As its own main would.
   *
   * @param failures told of all else
   * @return the exit code
   */
  public static int run(CommandLine line, Failures failures, String... args) {
    // A misspelt option behind a list of files is no file.
    line.setUnmatchedOptionsAllowedAsOptionParameters(false);
    line.registerConverter(PipelineSource.class, PipelineSource::new);
    line.setExecutionExceptionHandler(
        (e, command, parsed) -> report(e, command.getErr(), failures));
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
    return line.execute(args);
  }

  private static String suggestion(CommandLine.ParameterException e) {
    List<String> near =
        e instanceof CommandLine.UnmatchedArgumentException unmatched
            ? unmatched.getSuggestions()
            : List.of();
    return near.isEmpty() ? "" : "; did you mean '" + near.get(0) + "'?";
  }

  private static int report(Exception e, PrintWriter err, Failures failures) {
    Exception cause =
        e instanceof ExecutionException && e.getCause() instanceof Exception inner ? inner : e;
    if (cause instanceof Usage || cause instanceof InvalidSettingsException) {
      err.println(cause.getMessage());
      return BAD_USAGE;
    }
    if (cause instanceof NoBrokerException) {
      err.println(cause.getMessage());
      return NO_BROKER;
    }
    Optional<AuthorizationException> forbidden = forbidden(cause);
    if (forbidden.isPresent()) {
      err.println(
          "the Kafka broker: "
              + forbidden.get().getMessage()
              + "; `./freshet topics rights` lists what each party needs");
      return NO_BROKER;
    }
    if (cause instanceof TimeoutException) {
      err.println("Kafka does not answer, or lacks the topic: " + cause.getMessage());
      return FAILED;
    }
    return failures.told(cause, err);
  }

  private static Optional<AuthorizationException> forbidden(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof AuthorizationException found) {
        return Optional.of(found);
      }
    }
    return Optional.empty();
  }
}
