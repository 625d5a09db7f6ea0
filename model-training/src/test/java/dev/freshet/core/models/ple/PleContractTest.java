package dev.freshet.core.models.ple;

import dev.freshet.core.models.MultiTaskModelContractTest;

class PleContractTest extends MultiTaskModelContractTest {
  @Override
  protected String model() {
    return "{name: main, kind: ple, own: 2, shared: 1, levels: [8, 6], tower: [4]}";
  }
}
