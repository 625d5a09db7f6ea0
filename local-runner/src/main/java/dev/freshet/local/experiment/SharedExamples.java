package dev.freshet.local.experiment;

import java.io.IOException;

/** Examples that several trials use: loaded by the first that asks, dropped by the last. */
final class SharedExamples {

  private final ExperimentFile.Case of;
  private final long seed;
  private int users;
  private Examples examples;

  SharedExamples(ExperimentFile.Case of, long seed, int users) {
    this.of = of;
    this.seed = seed;
    this.users = users;
  }

  synchronized Examples get() throws IOException {
    if (examples == null) {
      examples = of.data().load(of.pipeline(), seed);
    }
    return examples;
  }

  synchronized void done() {
    users--;
    if (users == 0) {
      examples = null;
    }
  }
}
