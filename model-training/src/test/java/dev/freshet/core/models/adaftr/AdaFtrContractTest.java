package dev.freshet.core.models.adaftr;

import dev.freshet.core.models.MultiTaskModelContractTest;

class AdaFtrContractTest extends MultiTaskModelContractTest {
  @Override
  protected String additive() {
    return model().replace("weight: 0.1", "weight: 0, supervision: 0.5");
  }

  @Override
  protected String model() {
    return "{name: main, kind: adaftr, bottom: [8], tower: [8, 8], projection: 5, relatedness: [3], identity: [f0, f1], weight: 0.1}";
  }

  /** The gradient of its contrast differs there by a hundredth. */
  @Override
  protected Lazy lazy() {
    return Lazy.OTHER;
  }
}
