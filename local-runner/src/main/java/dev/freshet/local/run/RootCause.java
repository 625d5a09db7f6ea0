package dev.freshet.local.run;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.flink.util.SerializedThrowable;
import org.jspecify.annotations.Nullable;

/** Finds in a chain of exceptions what a person has to know. */
public final class RootCause {

  private RootCause() {}

  /**
   * The deepest exception that has a message, and before it what exceptions around it add: the
   * topic, partition and offset, say. What Flink and Java only wrap around it is left out.
   */
  public static String of(Throwable thrown) {
    List<String> said = new ArrayList<>();
    Set<Throwable> seen = new HashSet<>();
    for (Throwable t = unpacked(thrown); t != null && seen.add(t); t = unpacked(t.getCause())) {
      String message = t.getMessage();
      boolean repeats = t.getCause() != null && t.getCause().toString().equals(message);
      if (message != null && !message.isBlank() && !repeats && !wraps(t)) {
        said.add(firstLine(withoutName(t.getCause(), message)));
      } else if (t.getCause() == null) {
        said.add(t.getClass().getSimpleName());
      }
      if (t.getCause() == null && t instanceof Error && message != null) {
        said.set(said.size() - 1, t.getClass().getSimpleName() + ": " + firstLine(message));
      }
    }
    if (said.isEmpty()) {
      return thrown.getClass().getSimpleName();
    }
    String text = said.get(said.size() - 1);
    for (int i = said.size() - 2; i >= 0; i--) {
      String around = said.get(i);
      if (around.endsWith(text)) {
        text = around;
      } else if (!around.contains(text) && !text.contains(around)) {
        text = around + ": " + text;
      }
    }
    return text;
  }

  /** Advice that may help; null if nothing is known. */
  static @Nullable String advice(Throwable thrown) {
    String all = "";
    Set<Throwable> seen = new HashSet<>();
    for (Throwable t = unpacked(thrown); t != null && seen.add(t); t = unpacked(t.getCause())) {
      all += t + "\n";
    }
    if (all.contains("OutOfMemoryError")) {
      return "more memory: FRESHET_HEAP=4g ./freshet ...";
    }
    if (all.contains("TrainingDivergedException")) {
      return "look at the events of these impressions, a range for the task's amounts, a"
          + " smaller training.dense.rate or training.embeddings.rate, or a larger"
          + " training.max-norm";
    }
    if (all.contains("No space left on device")) {
      return "free some space on the disk of --data-dir";
    }
    if (all.contains("There is no operator for the state") || all.contains("savepoint state")) {
      return "the pipeline has changed since the checkpoint: a new --data-dir, or --again";
    }
    return null;
  }

  private static @Nullable Throwable unpacked(@Nullable Throwable t) {
    return t instanceof SerializedThrowable s
        ? s.deserializeError(RootCause.class.getClassLoader())
        : t;
  }

  private static boolean wraps(Throwable t) {
    String type = t.getClass().getName();
    return t.getCause() != null
        && (type.startsWith("java.util.concurrent.")
            || type.startsWith("org.apache.flink.")
            || type.equals("java.lang.RuntimeException")
            || type.equals("java.lang.Exception"));
  }

  /** A message that repeats its cause repeats what it says, not what it is. */
  private static String withoutName(@Nullable Throwable cause, String message) {
    return cause == null || cause.getMessage() == null
        ? message
        : message.replace(cause.toString(), cause.getMessage());
  }

  private static String firstLine(String message) {
    int end = message.indexOf('\n');
    return (end < 0 ? message : message.substring(0, end)).strip();
  }
}
