package dev.freshet.benchmarks.step;

import dev.freshet.benchmarks.Fields;
import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.labels.LabelKind;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.models.ModelDefinition;
import dev.freshet.core.models.torch.TorchEngine;
import dev.freshet.core.network.Network;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.core.pipeline.TrainingSettings;
import dev.freshet.core.rows.Workers;
import dev.freshet.training.ModelTrainer;
import dev.freshet.training.rows.BatchUpdate;
import dev.freshet.training.rows.EmbeddingTable;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * A trainer of one kind of model with its table full, and the batches that it learns: 24 fields of
 * size 16, two binary tasks and an amount. Keys are as skewed as in practice: a third of all
 * lookups of a field goes to one of its rows in thirty.
 */
final class StepCase implements AutoCloseable {

  static final int FIELDS = 24;
  private static final int BATCHES = 16;

  /** Batches and examples after which a step's own forward pass gives the predictions. */
  private static final int WARM_UP = 32;

  private static final int WARM_UP_EXAMPLES = 50_000;

  private final int batch;
  private final int values;
  private final Pipeline pipeline;
  private final ModelTrainer trainer;
  private final List<List<EncodedExample>> batches = new ArrayList<>();
  private final List<StepArguments> arguments = new ArrayList<>();
  private final BatchUpdate update = new BatchUpdate(Workers.NONE);
  private int next;

  /**
   * @param kind of the model, with the settings that it has when none are given
   * @param rows of all fields
   * @param training settings, as in a pipeline file: {products: bfloat16}
   */
  StepCase(String kind, int batch, int rows, String training) {
    this.batch = batch;
    values = rows / FIELDS;
    pipeline = PipelineFile.parse(file(kind, training), "benchmark");
    trainer = new ModelTrainer(pipeline.context(model()), pipeline.training());
    for (EmbeddingTable table : trainer.learner().tables()) {
      for (int field = 0; field < FIELDS; field++) {
        for (int value = 0; value < values; value++) {
          table.sight(key(field, value), field, 0);
        }
      }
    }
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < BATCHES; i++) {
      List<EncodedExample> examples = new ArrayList<>();
      for (int j = 0; j < batch; j++) {
        examples.add(example(random));
      }
      batches.add(examples);
      arguments.add(new StepArguments(examples, model(), trainer.context().shape(), settings()));
    }
  }

  private static String file(String kind, String training) {
    StringBuilder file = new StringBuilder("pipeline: bench\ntasks:\n");
    file.append("  - {name: click, kind: binary, window: 1m}\n");
    file.append("  - {name: purchase, kind: binary, window: 1m, after: click}\n");
    file.append("  - {name: revenue, kind: continuous, window: 1m, after: purchase}\n");
    file.append(Fields.features(FIELDS));
    file.append("training: ").append(training).append('\n');
    return file.append("models:\n  - {name: main, kind: ").append(kind).append("}\n").toString();
  }

  private static long key(int field, int value) {
    return (field * 1_000_000_007L + value + 1) * 0x9E3779B97F4A7C15L;
  }

  private EncodedExample example(SplittableRandom random) {
    long[] keys = new long[FIELDS];
    int[] starts = new int[FIELDS + 1];
    for (int field = 0; field < FIELDS; field++) {
      keys[field] = key(field, (int) (values * Math.pow(random.nextDouble(), 3)));
      starts[field + 1] = field + 1;
    }
    boolean click = random.nextDouble() < 0.2;
    boolean purchase = click && random.nextDouble() < 0.3;
    double revenue = purchase ? random.nextDouble(1, 50) : 0;
    TaskLabel[] labels = {label(click ? 1 : 0), label(purchase ? 1 : 0), label(revenue)};
    return new EncodedExample(random.nextLong(), 0, false, keys, starts, labels, new float[0]);
  }

  private static TaskLabel label(double value) {
    return new TaskLabel(LabelKind.FINAL, value, 1, 0, -1, true);
  }

  /** As many rounds as make a trainer predict by its steps, and the JVM compile. */
  void warmUp(double milliseconds) {
    double start = Clock.CPU.now();
    int least = Math.max(WARM_UP, WARM_UP_EXAMPLES / batch);
    for (int i = 0; i < least || Clock.CPU.now() - start < milliseconds; i++) {
      process();
      if (i % 4 == 0) {
        pieces(Clock.CPU);
      }
    }
  }

  /** The whole round on the next batch. */
  void process() {
    trainer.process(batches.get(next++ % BATCHES));
  }

  /** Milliseconds of the pieces of a round, called one by one on the next batch. */
  record Pieces(double gather, double script, double rows, double predict) {}

  /**
   * Gathers, steps and updates rows as a round does, and predicts as one does that cannot take the
   * predictions of its step. What else a round does, targets, scores and statistics, is the rest of
   * {@link #process}.
   */
  Pieces pieces(Clock clock) {
    int at = next++ % BATCHES;
    double start = clock.now();
    gather(at);
    double gathered = clock.now();
    double stepped;
    double updated;
    try (TorchEngine.Call call = network().call("step")) {
      List<FloatBuffer> out = arguments.get(at).addTo(call).run();
      stepped = clock.now();
      update(out);
      updated = clock.now();
    }
    network().predict(batch);
    double end = clock.now();
    return new Pieces(gathered - start, stepped - gathered, updated - stepped, end - updated);
  }

  /** The script's step on the next batch, and what it says; rows stay as they are. */
  void script() {
    int at = next++ % BATCHES;
    gather(at);
    try (TorchEngine.Call call = network().call("step")) {
      arguments.get(at).addTo(call).run();
    }
  }

  void gather(int at) {
    network().gather(batches.get(at), example -> true);
  }

  private void update(List<FloatBuffer> out) {
    float[] pace = {1, 1, 1};
    List<EmbeddingTable> tables = trainer.learner().tables();
    for (int i = 0; i < tables.size(); i++) {
      update.run(tables.get(i), network().rows().get(i), out.get(3 + i), batch, pace);
    }
  }

  ModelDefinition model() {
    return pipeline.model("main");
  }

  TrainingSettings settings() {
    return pipeline.training();
  }

  Network network() {
    return trainer.network();
  }

  List<EmbeddingTable> tables() {
    return trainer.learner().tables();
  }

  List<List<EncodedExample>> batches() {
    return batches;
  }

  List<StepArguments> arguments() {
    return arguments;
  }

  @Override
  public void close() {
    trainer.close();
  }
}
