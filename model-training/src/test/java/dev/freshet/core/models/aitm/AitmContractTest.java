package dev.freshet.core.models.aitm;

import dev.freshet.core.models.MultiTaskModelContractTest;

class AitmContractTest extends MultiTaskModelContractTest {
  @Override
  protected String model() {
    return "{name: main, kind: aitm, bottom: [8, 4], tower: [4]}";
  }

  /** A loss, which has no dimension, times the penalty is a double there. */
  @Override
  protected Lazy lazy() {
    return Lazy.NOT;
  }
}
