package dev.freshet.core.pipeline;

/** Small pipelines for tests of every module. */
public final class TestingPipelines {

  private TestingPipelines() {}

  /** Click, purchase, revenue; two categorical fields and one number; both models. */
  public static final String SHOP =
      """
      pipeline: test
      tasks:
        - {name: click, kind: binary, window: 10m}
        - {name: purchase, kind: binary, after: click, window: 1h}
        - {name: revenue, kind: continuous, after: purchase, window: 1h, transform: zscore}
      labels: {orphan-wait: 5m, holdout: 0.0}
      features:
        - {name: user, kind: categorical, dim: 8, admit-after: 1}
        - {name: item, kind: categorical, dim: 8, admit-after: 2}
        - {name: tags, kind: categorical, dim: 4, many: true}
        - {name: price, kind: numeric, dim: 4, edges: [1, 10, 100]}
      models:
        - {name: main, kind: htlnet, tower: [16, 8], tau-steps: 50}
        - {name: plain, kind: shared-bottom, bottom: [16], tower: [8]}
      training: {batch: 64, max-wait: 0ms, scoring: {window: 8000}}
      """;

  public static Pipeline shop() {
    return PipelineFile.parse(SHOP, "test");
  }

  /** The shop with one piece of its text replaced. */
  public static Pipeline shop(String part, String replacement) {
    if (!SHOP.contains(part)) {
      throw new IllegalArgumentException("the shop has no '" + part + "'");
    }
    return PipelineFile.parse(SHOP.replace(part, replacement), "test");
  }
}
