package dev.freshet.replica.server;

/**
 * Versions that a job has made and not published, since the newest one that it did.
 *
 * @param versions how many
 * @param step of the last of them
 * @param reason as in metrics: {@code large-norm}
 * @param detail the same in words
 * @param toldAt when the job said so last, epoch milliseconds
 */
public record HeldBack(long versions, long step, String reason, String detail, long toldAt) {

  /** A sentence for people. */
  @Override
  public String toString() {
    return "the job has held back %,d version%s, the last at step %d: %s: %s"
        .formatted(versions, versions == 1 ? "" : "s", step, reason, detail);
  }
}
