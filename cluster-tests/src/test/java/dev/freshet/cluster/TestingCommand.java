package dev.freshet.cluster;

import dev.freshet.local.commands.FreshetCommand;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** Runs a command line in this process; what it printed and its exit code. */
record TestingCommand(int code, String printed) {

  static synchronized TestingCommand run(String... args) {
    PrintStream out = System.out;
    PrintStream err = System.err;
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    try (PrintStream all = new PrintStream(printed, true, StandardCharsets.UTF_8)) {
      System.setOut(all);
      System.setErr(all);
      int code = FreshetCommand.run(args);
      return new TestingCommand(code, printed.toString(StandardCharsets.UTF_8));
    } finally {
      System.setOut(out);
      System.setErr(err);
    }
  }
}
