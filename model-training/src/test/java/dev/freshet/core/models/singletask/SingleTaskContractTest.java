package dev.freshet.core.models.singletask;

import dev.freshet.core.models.MultiTaskModelContractTest;

class SingleTaskContractTest extends MultiTaskModelContractTest {
  @Override
  protected String model() {
    return "{name: main, kind: single-task, tower: [16, 8]}";
  }
}
