package dev.freshet.local.sample;

import dev.freshet.core.codec.Texts;
import dev.freshet.local.screen.Paragraph;
import dev.freshet.local.screen.Terminal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Figures and tables for a terminal of 80 columns. */
final class SampleText {

  private static final int SHORTEST_NAME = 10;

  private SampleText() {}

  static String percent(double of, double all) {
    double percent = all == 0 ? 0 : 100 * of / all;
    if (percent > 0 && percent < 0.1) {
      return "<0.1 %";
    }
    String text = String.format(Locale.ROOT, percent < 10 ? "%.1f %%" : "%.0f %%", percent);
    // Not all is not all.
    return text.equals("100 %") && of < all ? ">99 %" : text;
  }

  /** Four digits, about. */
  static String number(double value) {
    if (value == Math.rint(value) && Math.abs(value) < 1e9) {
      return String.format(Locale.ROOT, "%,d", (long) value);
    }
    double size = Math.abs(value);
    return String.format(
        Locale.ROOT,
        size >= 1e9 || size < 1e-3 ? "%.2e" : size >= 1000 ? "%,.0f" : size >= 10 ? "%.1f" : "%.3f",
        value);
  }

  static String cut(String value, int most) {
    return Texts.line(value, value.length() <= most ? most : most - 3);
  }

  /** True if first columns of this width are as many different ones as whole ones are. */
  private static boolean tellsApart(List<List<String>> rows, int width) {
    return rows.stream().map(row -> cutInside(row.get(0), width)).distinct().count()
        == rows.stream().map(row -> row.get(0)).distinct().count();
  }

  /** Names of columns often differ at their ends alone. */
  private static String cutInside(String name, int most) {
    int end = (most - 2) / 2;
    return name.length() <= most
        ? name
        : name.substring(0, most - 2 - end) + ".." + name.substring(name.length() - end);
  }

  /** Plain where that is read as the same text. */
  static String yaml(String value) {
    return value.matches("[A-Za-z_][A-Za-z0-9_-]*")
            && !value.matches("(?i)true|false|yes|no|on|off|null|y|n")
        ? value
        : "\"" + value.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
  }

  /**
   * Columns, the first of them to the left and cut where lines would not fit, as far as they stay
   * apart; two blanks before.
   */
  static List<String> table(List<List<String>> rows) {
    int[] widths = new int[rows.get(0).size()];
    for (List<String> row : rows) {
      for (int i = 0; i < widths.length; i++) {
        widths[i] = Math.max(widths[i], row.get(i).length());
      }
    }
    int others = Arrays.stream(widths).skip(1).map(width -> width + 1).sum();
    widths[0] = Math.min(widths[0], Math.max(SHORTEST_NAME, Terminal.COLUMNS - 2 - others));
    while (!tellsApart(rows, widths[0])) {
      widths[0]++;
    }
    List<String> lines = new ArrayList<>();
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder(" ");
      for (int i = 0; i < widths.length; i++) {
        String cell = i == 0 ? cutInside(row.get(i), widths[i]) : row.get(i);
        String blanks = " ".repeat(widths[i] - cell.length());
        line.append(' ').append(i == 0 ? cell + blanks : blanks + cell);
      }
      lines.add(line.toString().stripTrailing());
    }
    return lines;
  }

  /** A sentence in lines that fit, of which the first begins with a hyphen. */
  static List<String> wrapped(String sentence) {
    return Paragraph.lines(sentence, "  - ", "    ");
  }
}
