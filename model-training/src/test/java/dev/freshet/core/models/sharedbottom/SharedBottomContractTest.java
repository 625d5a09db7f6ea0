package dev.freshet.core.models.sharedbottom;

import dev.freshet.core.models.MultiTaskModelContractTest;

class SharedBottomContractTest extends MultiTaskModelContractTest {
  @Override
  protected String model() {
    return "{name: main, kind: shared-bottom, bottom: [8], tower: [4]}";
  }
}
