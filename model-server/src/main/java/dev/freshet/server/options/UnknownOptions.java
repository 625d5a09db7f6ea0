package dev.freshet.server.options;

import dev.freshet.core.settings.Nearest;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import picocli.CommandLine;

/**
 * Options that a command does not know. Picocli stops at the first thing that is wrong, which for a
 * misspelt option is mostly one that is missing, or the one before it.
 */
final class UnknownOptions {

  private static final Pattern NUMBER = Pattern.compile("-[0-9.].*");
  private static final int SHORT = 2;

  private UnknownOptions() {}

  /**
   * One line for each.
   *
   * @param command that was found in the arguments
   * @param given all arguments
   */
  static List<String> of(CommandLine command, String[] given) {
    Set<String> known = command.getCommandSpec().optionsMap().keySet();
    // Short ones are guessed as nothing.
    List<String> names = known.stream().filter(name -> name.startsWith("--")).toList();
    Set<String> above = above(command);
    List<String> unknown = new ArrayList<>();
    for (String argument : given) {
      if (argument.equals("--")) {
        break;
      }
      int value = argument.indexOf('=');
      String name = value < 0 ? argument : argument.substring(0, value);
      if (name.length() < 2 || name.charAt(0) != '-' || NUMBER.matcher(name).matches()) {
        continue;
      }
      boolean joined = !name.startsWith("--") && known.contains(name.substring(0, SHORT));
      if (!known.contains(name) && !above.contains(name) && !joined) {
        unknown.add("Unknown option '" + name + "'" + Nearest.hint(name, names));
      }
    }
    return unknown;
  }

  private static Set<String> above(CommandLine command) {
    return command.getParent() == null
        ? Set.of()
        : command.getParent().getCommandSpec().optionsMap().keySet().stream()
            .collect(Collectors.toSet());
  }
}
