package dev.freshet.replica;

import dev.freshet.core.settings.EnumNames;

/** Things that a replica waits for. */
public enum Waiting {
  /** That a broker answers. */
  BROKER,
  /** That the broker lets it read. */
  ACCESS,
  /** That the model topic exists. */
  TOPIC,
  /** That a partition of the topic is the model's. */
  PARTITION,
  /** That what is on the topic has been read. */
  END,
  /** That a version is published which it can use. */
  VERSION,
  /** Nothing: it follows, and there is a version. */
  NOTHING;

  /** As in answers: {@code broker}. */
  public String label() {
    return EnumNames.of(this);
  }
}
