package dev.freshet.local.screen;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class TerminalTest {

  private static final Pattern PIECE =
      Pattern.compile("\u001b\\[(\\d*)([AJm])|\r|\n|[^\u001b\r\n]+");

  private final ByteArrayOutputStream written = new ByteArrayOutputStream();
  private final Terminal terminal =
      new Terminal(new PrintStream(written, true, StandardCharsets.UTF_8), 5, false);

  /** What a terminal shows of what was written. */
  private List<String> shown() {
    List<String> lines = new ArrayList<>(List.of(""));
    int row = 0;
    Matcher pieces = PIECE.matcher(written.toString(StandardCharsets.UTF_8));
    while (pieces.find()) {
      String piece = pieces.group();
      if ("A".equals(pieces.group(2))) {
        row -= Integer.parseInt(pieces.group(1));
      } else if ("J".equals(pieces.group(2))) {
        lines.subList(row, lines.size()).clear();
        lines.add("");
      } else if (piece.equals("\n")) {
        row++;
        if (row == lines.size()) {
          lines.add("");
        }
      } else if (!piece.equals("\r")) {
        lines.set(row, lines.get(row) + piece);
      }
    }
    return lines.subList(0, lines.size() - 1);
  }

  @Test
  void aPictureReplacesTheOneBefore() {
    terminal.println("above");
    terminal.draw(List.of("one", "two"));
    terminal.draw(List.of("three"));
    assertThat(shown()).containsExactly("above", "three");
    terminal.draw(List.of("four", "five"));
    assertThat(shown()).containsExactly("above", "four", "five");
  }

  @Test
  void whatElseIsPrintedStaysAboveThePicture() {
    terminal.draw(List.of("picture", "é ▁▂"));
    terminal.printf("%d lines%n", 7);
    assertThat(shown()).containsExactly("7 lines");
    terminal.draw(List.of("picture"));
    terminal.print('x');
    terminal.println();
    terminal.draw(List.of("picture"));
    assertThat(shown()).containsExactly("7 lines", "x", "picture");
    terminal.keep();
    terminal.println("end");
    assertThat(shown()).containsExactly("7 lines", "x", "picture", "end");
  }

  @Test
  void aPictureIsLowerThanTheTerminal() {
    for (int i = 0; i < 2; i++) {
      terminal.draw(List.of("1", "2", "3", "4", "5", "6"));
      assertThat(shown())
          .containsExactly("1", "2", "3", "  and 3 lines more than the terminal has");
    }
  }

  @Test
  void coloursAreOnlyWhereTheyMayBe() {
    assertThat(terminal.warning("x")).isEqualTo("x");
    assertThat(new Terminal(System.out, 5, true).warning("x")).isEqualTo("\u001b[33mx\u001b[0m");
  }

  @Test
  void aTrendRisesFallsAndStandsStill() {
    assertThat(trend()).isEmpty();
    assertThat(trend(0.5, 0.6, 0.7)).isEqualTo("▁▅█");
    assertThat(trend(0.7, Double.NaN, 0.5)).isEqualTo("█▁");
    assertThat(trend(0.7, 0.7001, 0.7)).isEqualTo("▁▁▁");
    double[] long1 = new double[1000];
    for (int i = 0; i < long1.length; i++) {
      long1[i] = i;
    }
    assertThat(trend(long1)).hasSize(Trend.BARS).startsWith("▁").endsWith("█");
  }

  private static String trend(double... values) {
    Trend trend = new Trend();
    for (double value : values) {
      trend.add(value);
    }
    return trend.toString();
  }

  @Test
  void aParagraphFits() {
    String text = "word ".repeat(40) + "x".repeat(100) + " end";
    List<String> lines = Paragraph.lines(text, "  - ", "    ");
    assertThat(String.join(" ", lines).replaceAll(" +", " ").strip()).isEqualTo("- " + text);
    assertThat(lines)
        .filteredOn(line -> !line.contains("x"))
        .allMatch(line -> line.length() <= Terminal.COLUMNS);
    assertThat(lines.get(0)).startsWith("  - word");
    assertThat(lines.get(1)).startsWith("    word");
  }
}
