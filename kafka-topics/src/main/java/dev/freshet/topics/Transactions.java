package dev.freshet.topics;

import dev.freshet.core.pipeline.Pipeline;

/** Common settings of all transactions of a job. */
public final class Transactions {

  // The broker's default ceiling is 15 minutes; the sink's own default, an hour, is refused by it.
  private static final String TIMEOUT_MS = "600000";

  private Transactions() {}

  /** How the transactional ids of a pipeline begin. */
  public static String prefix(Pipeline pipeline) {
    return "freshet-" + pipeline.pipeline() + "-";
  }

  /** After how many milliseconds brokers may abort one that does not end. */
  public static String timeout(Pipeline pipeline) {
    return pipeline.kafka().properties().getOrDefault("transaction.timeout.ms", TIMEOUT_MS);
  }
}
