package dev.freshet.core.models.htlnet;

import dev.freshet.core.models.MultiTaskModelContractTest;
import java.util.Set;

class HtlNetContractTest extends MultiTaskModelContractTest {
  @Override
  protected String model() {
    return "{name: main, kind: htlnet, tower: [8, 4], label-size: 3, noise: true}";
  }

  /** Attention over a single predecessor is 1 whatever its query and key. */
  @Override
  protected Set<String> withoutGradient() {
    return Set.of(
        "fusion1.representation.query",
        "fusion1.representation.key",
        "fusion1.label.query",
        "fusion1.label.key");
  }
}
