package dev.freshet.core.models.mmoe;

import dev.freshet.core.models.MultiTaskModelContractTest;

class MmoeContractTest extends MultiTaskModelContractTest {
  @Override
  protected String model() {
    return "{name: main, kind: mmoe, experts: 3, expert: [8], tower: [4]}";
  }
}
