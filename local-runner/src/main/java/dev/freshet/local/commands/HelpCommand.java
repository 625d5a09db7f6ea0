package dev.freshet.local.commands;

import dev.freshet.core.settings.Nearest;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Unlike picocli's own it takes commands of commands: {@code help models export}. */
@Command(
    name = "help",
    description = "Says what a command does and which options it has.",
    mixinStandardHelpOptions = true,
    helpCommand = true)
final class HelpCommand implements Runnable {

  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "COMMAND",
      arity = "0..*",
      description = "Such as `tune` or `models export`. Default: all commands in short.")
  private List<String> names = new ArrayList<>();

  @Override
  public void run() {
    CommandLine of = spec.parent().commandLine();
    for (String name : names) {
      CommandLine next = of.getSubcommands().get(name);
      if (next == null) {
        List<String> known = List.copyOf(of.getSubcommands().keySet());
        throw new ParameterException(
            spec.commandLine(),
            "help: '%s' is no command of %s%s"
                    .formatted(
                        name,
                        of.getCommandSpec().qualifiedName(),
                        known.isEmpty() ? "" : "; allowed: " + String.join(", ", known))
                + Nearest.hint(name, known));
      }
      of = next;
    }
    of.usage(spec.commandLine().getOut());
  }
}
