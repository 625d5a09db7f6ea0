package dev.freshet.local.screen;

import java.util.ArrayList;
import java.util.List;

/** Sentences in lines that fit a terminal. */
public final class Paragraph {

  private Paragraph() {}

  /**
   * A text in lines of up to {@link Terminal#COLUMNS} columns, broken at blanks; a longer word has
   * a line of its own.
   *
   * @param first what the first line begins with
   * @param next what the others begin with
   */
  public static List<String> lines(String text, String first, String next) {
    List<String> lines = new ArrayList<>();
    StringBuilder line = new StringBuilder(first);
    boolean empty = true;
    for (String word : text.split(" ")) {
      if (!empty && line.length() + 1 + word.length() > Terminal.COLUMNS) {
        lines.add(line.toString());
        line = new StringBuilder(next);
        empty = true;
      }
      line.append(empty ? "" : " ").append(word);
      empty = false;
    }
    lines.add(line.toString());
    return lines;
  }
}
