package dev.freshet.local.experiment;

import java.io.PrintStream;
import java.util.List;

/**
 * Where tuning is, in 80 columns: on a terminal a table that is drawn anew in its place, elsewhere
 * a line for each candidate that is done.
 */
final class TuningScreen {

  static final int WIDTH = 79;
  private static final String UP = "\u001b[%dA";
  private static final String CLEAR = "\u001b[J";

  private final PrintStream out;
  private final boolean terminal;
  private int drawn;

  /**
   * @param terminal whether lines can be drawn over
   */
  TuningScreen(PrintStream out, boolean terminal) {
    this.out = out;
    this.terminal = terminal;
  }

  /** Something to keep. */
  void say(String line) {
    erase();
    out.println(line);
    out.flush();
  }

  /**
   * Draws the table; nothing where there is no terminal.
   *
   * @param lines cut to the width
   */
  void draw(List<String> lines) {
    if (!terminal) {
      return;
    }
    StringBuilder text = new StringBuilder();
    lines.forEach(line -> text.append(cut(line)).append(System.lineSeparator()));
    erase();
    out.print(text);
    out.flush();
    drawn = lines.size();
  }

  /** A candidate is done: told where there is no table. */
  void done(String line) {
    if (!terminal) {
      out.println(cut(line));
      out.flush();
    }
  }

  private void erase() {
    if (drawn > 0) {
      out.print(UP.formatted(drawn) + CLEAR);
      drawn = 0;
    }
  }

  static String cut(String line) {
    return line.length() <= WIDTH ? line : line.substring(0, WIDTH - 3) + "...";
  }
}
