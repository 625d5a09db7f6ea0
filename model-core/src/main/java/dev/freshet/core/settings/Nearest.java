package dev.freshet.core.settings;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;

/** Finds what somebody meant who wrote something like it. */
public final class Nearest {

  /** Letters of which fewer are the beginning of too much. */
  private static final int FEW = 4;

  /** Letters of a name that is not two away from another by chance. */
  private static final int LONG = 9;

  private Nearest() {}

  /** {@code ; did you mean 'x'?} for the one of {@code known} that is nearly {@code written}. */
  public static String hint(String written, Collection<String> known) {
    return asked(written, known).map(question -> "; " + question).orElse("");
  }

  /** As {@link #hint}, in brackets behind one of several: {@code (did you mean 'x'?)}. */
  public static String aside(String written, Collection<String> known) {
    return asked(written, known).map(question -> " (" + question + ")").orElse("");
  }

  private static Optional<String> asked(String written, Collection<String> known) {
    return of(written, known).map(one -> "did you mean '" + one + "'?");
  }

  /**
   * The one of {@code known} that is nearly {@code written}, or else the shortest that begins with
   * it; not the same.
   */
  public static Optional<String> of(String written, Collection<String> known) {
    String lower = written.toLowerCase(Locale.ROOT);
    String letters = letters(written);
    int most = Math.max(1, written.length() / 3);
    return known.stream()
        .filter(one -> !one.equals(written) && distance(letters, letters(one)) <= most)
        .min(
            Comparator.<String, Integer>comparing(one -> distance(letters, letters(one)))
                .thenComparing(one -> distance(lower, one))
                .thenComparing(one -> !one.startsWith(lower)))
        .or(
            () ->
                known.stream()
                    .filter(one -> written.length() >= FEW && one.length() > written.length())
                    .filter(one -> one.startsWith(lower))
                    .min(Comparator.comparing(String::length)));
  }

  /**
   * The one of {@code known} that cannot but be meant: at most two letters away, in a long name.
   * For where unknown names are allowed.
   */
  public static Optional<String> misspelt(String written, Collection<String> known) {
    String lower = written.toLowerCase(Locale.ROOT);
    return known.contains(written) || written.length() < LONG
        ? Optional.empty()
        : known.stream()
            .filter(one -> Math.abs(one.length() - lower.length()) <= 2)
            .filter(one -> distance(lower, one) <= 2)
            .min(Comparator.comparing(one -> distance(lower, one)));
  }

  /** {@code userID}, {@code user_id} and {@code user-id} are one name, written in three styles. */
  private static String letters(String name) {
    String letters = name.toLowerCase(Locale.ROOT).replaceAll("[_\\-. ]", "");
    return letters.isEmpty() ? name : letters;
  }

  /** Letters to insert, drop, exchange or swap with their neighbour to make one of the other. */
  private static int distance(String from, String to) {
    int[][] steps = new int[from.length() + 1][to.length() + 1];
    for (int i = 0; i <= from.length(); i++) {
      for (int j = 0; j <= to.length(); j++) {
        if (i == 0 || j == 0) {
          steps[i][j] = i + j;
          continue;
        }
        int same = from.charAt(i - 1) == to.charAt(j - 1) ? 0 : 1;
        steps[i][j] =
            Math.min(steps[i - 1][j - 1] + same, 1 + Math.min(steps[i - 1][j], steps[i][j - 1]));
        boolean swapped =
            i > 1
                && j > 1
                && from.charAt(i - 1) == to.charAt(j - 2)
                && from.charAt(i - 2) == to.charAt(j - 1);
        if (swapped) {
          steps[i][j] = Math.min(steps[i][j], steps[i - 2][j - 2] + 1);
        }
      }
    }
    return steps[from.length()][to.length()];
  }
}
