package dev.freshet.experiments;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;

/**
 * Where tuning is, in 80 columns: lines that stay, and below them on a terminal a few that are
 * drawn anew in their place. Long lines go on in the next.
 */
final class TuningScreen {

  static final int WIDTH = 79;

  /** Lines that fit the smallest usual terminal, so that all of them can be drawn over. */
  static final int HEIGHT = 22;

  private static final String UP = "\u001b[%dA";
  private static final String CLEAR = "\u001b[J";

  private final PrintStream out;
  private final boolean terminal;
  private int drawn;

  /**
   * @param terminal true if lines can be drawn over
   */
  TuningScreen(PrintStream out, boolean terminal) {
    this.out = out;
    this.terminal = terminal;
  }

  /** Something to keep. */
  void say(String line) {
    keep(wrap(line, "  "));
  }

  /**
   * Draws how far it is; nothing where there is no terminal.
   *
   * @param lines as wide as the screen at most; those that are too many are left out
   */
  void draw(List<String> lines) {
    if (!terminal) {
      return;
    }
    List<String> shown = lines.subList(0, Math.min(lines.size(), HEIGHT));
    StringBuilder text = new StringBuilder();
    shown.forEach(line -> text.append(line).append(System.lineSeparator()));
    erase();
    out.print(text);
    out.flush();
    drawn = shown.size();
  }

  /** True if lines can be drawn over. */
  boolean terminal() {
    return terminal;
  }

  /** Lines to keep, as wide as the screen at most. */
  void keep(List<String> lines) {
    erase();
    lines.forEach(out::println);
    out.flush();
  }

  private void erase() {
    if (drawn > 0) {
      out.print(UP.formatted(drawn) + CLEAR);
      drawn = 0;
    }
  }

  /**
   * A line in lines of the width, broken at spaces, or where there are none.
   *
   * @param indent beginning of all but the first
   */
  static List<String> wrap(String line, String indent) {
    List<String> lines = new ArrayList<>();
    String left = line;
    while (left.length() > WIDTH) {
      int least = lines.isEmpty() ? left.length() - left.stripLeading().length() : indent.length();
      int at = left.lastIndexOf(' ', WIDTH);
      boolean space = at > least;
      lines.add((space ? left.substring(0, at) : left.substring(0, WIDTH)).stripTrailing());
      left = indent + left.substring(space ? at + 1 : WIDTH).stripLeading();
    }
    lines.add(left);
    return lines;
  }
}
