package dev.freshet.core.models.aitm;

import dev.freshet.core.models.MultiTaskModelContractTest;

class AitmContractTest extends MultiTaskModelContractTest {
  @Override
  protected String model() {
    return "{name: main, kind: aitm, bottom: [8, 4], tower: [4]}";
  }
}
