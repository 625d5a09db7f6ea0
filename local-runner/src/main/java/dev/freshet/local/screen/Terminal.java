package dev.freshet.local.screen;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A terminal with a picture at its end: each replaces the one before, and whatever else is printed
 * goes above it and stays.
 */
public final class Terminal extends PrintStream {

  /** Columns of a picture at most, so that it is not wrapped. */
  public static final int COLUMNS = 78;

  private static final String ESCAPE = "\u001b[";
  private static final String BELOW = ESCAPE + "J";

  private final int rows;
  private final boolean coloured;
  private int drawn;
  private boolean drawing;

  /**
   * @param rows of the terminal
   * @param coloured true if it may be
   */
  Terminal(PrintStream out, int rows, boolean coloured) {
    super(out, true, StandardCharsets.UTF_8);
    this.rows = rows;
    this.coloured = coloured;
  }

  /**
   * Standard output as a terminal, if it is one that is wide enough. The script that starts us says
   * how large it is, {@code freshet.terminal=COLUMNSxROWS}: Java does not know.
   *
   * @param out standard output, which is returned if it is none
   */
  public static PrintStream of(PrintStream out) {
    String size = System.getProperty("freshet.terminal", "");
    if (!size.matches("\\d{1,4}x\\d{1,4}")) {
      return out;
    }
    int columns = Integer.parseInt(size.substring(0, size.indexOf('x')));
    int rows = Integer.parseInt(size.substring(size.indexOf('x') + 1));
    Map<String, String> environment = System.getenv();
    boolean dumb = environment.getOrDefault("TERM", "dumb").equals("dumb");
    return dumb || columns < COLUMNS || rows < 2
        ? out
        : new Terminal(out, rows, environment.getOrDefault("NO_COLOR", "").isEmpty());
  }

  /** Draws a line until something else is printed, where there is a terminal. */
  public static void status(PrintStream out, String line) {
    if (out instanceof Terminal terminal) {
      terminal.draw(List.of(line));
    }
  }

  /** Draws a picture, of lines of up to {@link #COLUMNS} columns. */
  public synchronized void draw(List<String> lines) {
    List<String> shown = lines;
    if (lines.size() >= rows) {
      shown = new ArrayList<>(lines.subList(0, rows - 2));
      shown.add("  and " + (lines.size() - rows + 2) + " lines more than the terminal has");
    }
    StringBuilder text = new StringBuilder(up());
    shown.forEach(line -> text.append(line).append('\n'));
    drawing = true;
    print(text);
    drawing = false;
    drawn = shown.size();
    flush();
  }

  /** What was drawn last stays: it is no picture any more. */
  public synchronized void keep() {
    drawn = 0;
  }

  /** A text that stands out. */
  public String strong(String text) {
    return styled(text, 1);
  }

  /** A text that stands back. */
  public String faint(String text) {
    return styled(text, 2);
  }

  /** A text that warns. */
  public String warning(String text) {
    return styled(text, 33);
  }

  private String styled(String text, int style) {
    return coloured ? ESCAPE + style + "m" + text + ESCAPE + "0m" : text;
  }

  private String up() {
    return drawn == 0 ? "" : ESCAPE + drawn + "A\r" + BELOW;
  }

  private void makeRoom() {
    if (drawn > 0 && !drawing) {
      byte[] up = up().getBytes(StandardCharsets.UTF_8);
      drawn = 0;
      super.write(up, 0, up.length);
    }
  }

  @Override
  public synchronized void write(int b) {
    makeRoom();
    super.write(b);
  }

  @Override
  public synchronized void write(byte[] bytes, int offset, int length) {
    makeRoom();
    super.write(bytes, offset, length);
  }
}
