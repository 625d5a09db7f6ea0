package dev.freshet.experiments;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Candidates in lines of {@link TuningScreen#WIDTH} columns: the score and what it is made of, and
 * below it all that is different about the candidate. Nothing is cut off: long lists go on in the
 * next line, and names too long for a column are numbered.
 */
final class TuningTable {

  private static final int COLUMN = 9;
  private static final String INDENT = "      ";

  private final List<TuningLabels> tasks;
  private final List<String> columns;

  /**
   * @param tasks that are judged
   */
  TuningTable(List<TuningLabels> tasks) {
    this.tasks = List.copyOf(tasks);
    List<String> names = tasks.stream().map(one -> one.task().name()).toList();
    int widths = names.stream().mapToInt(name -> 2 + Math.max(COLUMN - 2, name.length())).sum();
    columns =
        widths + 3 * COLUMN <= TuningScreen.WIDTH
            ? names
            : IntStream.rangeClosed(1, names.size()).mapToObj(i -> "(" + i + ")").toList();
  }

  /** Lines that explain the score. */
  List<String> legend() {
    List<String> parts = new ArrayList<>();
    for (int i = 0; i < tasks.size(); i++) {
      TuningLabels one = tasks.get(i);
      String number = columns.get(i).equals(one.task().name()) ? "" : columns.get(i) + " ";
      parts.add(number + one.task().name() + " by " + one.measure());
    }
    String loss = ", over the loss of the best constant; 1 is as good as that, lower is better";
    return TuningScreen.wrap(
        tasks.size() == 1
            ? "score: " + parts.get(0) + loss
            : "score: the mean of its tasks', each its loss"
                + loss
                + ": "
                + String.join(", ", parts),
        "  ");
  }

  /** Above the columns of {@link #rows}. */
  List<String> head() {
    StringBuilder head = new StringBuilder("%8s%9s".formatted("done", "score"));
    if (tasks.size() > 1) {
      columns.forEach(name -> head.append("  ").append(pad(name, name)));
    }
    head.append("%9s".formatted("seconds"));
    return TuningScreen.wrap(head.toString(), INDENT);
  }

  private static String pad(String text, String column) {
    return " ".repeat(Math.max(0, Math.max(COLUMN - 2, column.length()) - text.length())) + text;
  }

  /**
   * A candidate's lines.
   *
   * @param score null if it came to none
   * @param fault why it did not
   * @param notes further remarks
   */
  List<String> rows(
      String done,
      @Nullable TuningScore score,
      @Nullable String fault,
      double seconds,
      List<String> notes) {
    List<String> lines = new ArrayList<>();
    if (score == null) {
      lines.addAll(TuningScreen.wrap("%8s  %s".formatted(done, fault), INDENT));
    } else {
      StringBuilder line =
          new StringBuilder("%8s%9s".formatted(done, TuningScore.text(score.total())));
      if (tasks.size() > 1) {
        for (int i = 0; i < tasks.size(); i++) {
          double share = requireNonNull(score.byTask().get(tasks.get(i).task().name()));
          line.append("  ").append(pad(TuningScore.text(share), columns.get(i)));
        }
      }
      line.append("%9.1f".formatted(seconds));
      lines.addAll(TuningScreen.wrap(line.toString(), INDENT));
    }
    notes.forEach(note -> lines.addAll(TuningScreen.wrap(INDENT + note, INDENT)));
    return lines;
  }
}
