package dev.freshet.cluster;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The demo's pipeline, all of whose impressions are learnt from, by two trainers of each model, and
 * which says what it tells.
 *
 * @param outputs appended to the names of the topics that it writes
 * @param models by name the rest of their lines, in the order of the file
 * @param features further lines
 */
record TestingShop(
    String name, String bootstrap, String outputs, Map<String, String> models, String features) {

  static final String EXAMPLES = "examples";

  static TestingShop demo(String bootstrap) {
    Map<String, String> models = new LinkedHashMap<>();
    models.put("main", "kind: tafe, amount: {loss: ziln}");
    models.put("baseline", "kind: shared-bottom, amount: {loss: ziln}");
    return new TestingShop("shop", bootstrap, "", models, "");
  }

  /** Another pipeline on the same events. */
  TestingShop beside(String other) {
    return new TestingShop(other, bootstrap, "-" + other, models, features);
  }

  TestingShop withModels(Map<String, String> others) {
    return new TestingShop(name, bootstrap, outputs, others, features);
  }

  TestingShop withFeature(String line) {
    return new TestingShop(name, bootstrap, outputs, models, features + "  - " + line + "\n");
  }

  String examples() {
    return EXAMPLES + outputs;
  }

  /** Writes the file. */
  Path write(Path folder) throws IOException {
    String shop = Files.readString(Path.of("../pipelines/shop.yaml"));
    String topics =
        "training-log: training-log%1$s, examples: %2$s, models: models%1$s, metrics: metrics%1$s,"
                .formatted(outputs, examples())
            + " dead-letters: dead-letters"
            + outputs
            + "}";
    StringBuilder lines = new StringBuilder();
    models.forEach((model, rest) -> lines.append("  - {name: %s, %s}\n".formatted(model, rest)));
    int from = shop.indexOf("models:\n");
    int to = shop.indexOf("training:\n");
    String text = shop.substring(0, from) + features + "models:\n" + lines + shop.substring(to);
    text =
        text.replace("pipeline: shop", "pipeline: " + name)
            .replace("kafka:\n", "kafka:\n  bootstrap: " + bootstrap + "\n")
            .replace("training-log: training-log}", topics)
            .replace("training:\n", "training:\n  trainers: 2\n")
            .replace("orphan-wait: 10m}", "orphan-wait: 10m, holdout: 0}")
            .replace("chunk: 256KB}", "chunk: 256KB, base-every: 10, largest-delta: 2}");
    return Files.writeString(folder.resolve(name + ".yaml"), text);
  }

  Pipeline read(Path folder) throws IOException {
    return PipelineFile.read(write(folder));
  }
}
