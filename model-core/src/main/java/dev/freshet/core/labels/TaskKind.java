package dev.freshet.core.labels;

/** Kinds of tasks: by what they predict. */
public enum TaskKind {
  /** Something happens or not: labels are positives and negatives. */
  BINARY,
  /** How much. */
  CONTINUOUS
}
