package dev.freshet.core.models.esmm;

import dev.freshet.core.models.MultiTaskModelContractTest;

class EsmmContractTest extends MultiTaskModelContractTest {
  @Override
  protected String model() {
    return "{name: main, kind: esmm, tower: [8, 4]}";
  }
}
