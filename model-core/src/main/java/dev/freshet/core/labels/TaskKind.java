package dev.freshet.core.labels;

/** What a task predicts. */
public enum TaskKind {
  /** Whether something happens. */
  BINARY,
  /** How much. */
  CONTINUOUS
}
