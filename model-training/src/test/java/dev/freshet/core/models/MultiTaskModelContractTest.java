package dev.freshet.core.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.freshet.core.events.Impression;
import dev.freshet.core.events.RawFeatures;
import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.features.ExampleCompleter;
import dev.freshet.core.features.ExampleEncoder;
import dev.freshet.core.features.FeatureSchema;
import dev.freshet.core.labels.LabelKind;
import dev.freshet.core.labels.LabeledExample;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.models.torch.HostBuffer;
import dev.freshet.core.models.torch.TensorValues;
import dev.freshet.core.models.torch.TestingDevices;
import dev.freshet.core.models.torch.TorchDevice;
import dev.freshet.core.models.torch.TorchEngine;
import dev.freshet.core.network.Network;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.core.pipeline.RowOptimizers;
import dev.freshet.core.pipeline.TrainingSettings;
import dev.freshet.core.rows.BatchRows;
import dev.freshet.core.rows.ServedRows;
import dev.freshet.core.snapshot.Precision;
import dev.freshet.core.snapshot.WeightTensors;
import dev.freshet.core.snapshot.WeightsLoader;
import dev.freshet.training.Learner;
import dev.freshet.training.ModelTrainer;
import dev.freshet.training.TrainerSnapshot;
import dev.freshet.training.evaluation.QualityMetric;
import dev.freshet.training.rows.EmbeddingTable;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What every model of the menu keeps; a model is done when it inherits this. */
public abstract class MultiTaskModelContractTest {

  private static final int FIELDS = 3;

  /** Fields of all kinds and of several sizes. */
  private static final String MORE =
      """
          - {name: seen, kind: categorical, many: true, rows-of: f0}
          - {name: kept, kind: categorical, many: true, weighted: true, rows-of: f1, pooling: attention, target: f2}
          - {name: topics, kind: categorical, many: true, weighted: true, admit-after: 1}
          - {name: price, kind: numeric, admit-after: 1}
          - {name: age, kind: numeric, as: value, scale: log1p}
          - {name: image, kind: vector, size: 3, dim: 4}
          - {name: hour, kind: time, part: hour, zone: Europe/Berlin, dim: 3, admit-after: 1}
          - {name: often, kind: count, of: t0, by: f1, half-life: 1h, dim: 2}
        crosses: {kind: pairs, dim: 2, admit-after: 1}
        """;

  private static final long HOUR = 60 * 60 * 1000L;

  /** The model's entry in a pipeline file, small. */
  protected abstract String model();

  /** The same, or one close to it whose loss is a sum over examples. */
  protected String additive() {
    return model();
  }

  /** Prefixes of weights that cannot have a gradient in a chain of this length. */
  protected Set<String> withoutGradient() {
    return Set.of();
  }

  private Pipeline pipeline(int binary, boolean core) {
    return pipeline(binary, core, model());
  }

  /** With another loss of the core task. */
  private Pipeline pipeline(String loss) {
    return pipeline(2, true, model().replaceFirst("}$", ", amount: {loss: " + loss + "}}"));
  }

  private static Pipeline pipeline(int binary, boolean core, String model) {
    return pipeline(binary, core, model, "");
  }

  /** Two steps and an amount; plain, or with fields of all kinds and of several sizes. */
  private Pipeline pipeline(boolean crossed) {
    return pipeline(2, true, model(), crossed ? MORE : "");
  }

  private static Pipeline pipeline(int binary, boolean core, String model, String more) {
    StringBuilder file = new StringBuilder("pipeline: contract\ntasks:\n");
    for (int i = 0; i < binary; i++) {
      file.append("  - {name: t%d, kind: binary, window: 1m}%n".formatted(i));
    }
    if (core) {
      file.append("  - {name: core, kind: continuous, window: 1m, transform: none}\n");
    }
    file.append("features:\n");
    for (int i = 0; i < FIELDS; i++) {
      file.append("  - {name: f%d, kind: categorical, dim: 4, admit-after: 1}%n".formatted(i));
    }
    file.append(more).append("models:\n  - ").append(model).append('\n');
    return PipelineFile.parse(file.toString(), "contract");
  }

  /** At rates with which so small a model learns in so few steps. */
  private static ModelTrainer fast(Pipeline pipeline) {
    TrainingSettings usual = pipeline.training();
    return new ModelTrainer(
        pipeline.context(pipeline.models().get(0)),
        new TrainingSettings(
            usual.batch(),
            usual.maxWait(),
            new TrainingSettings.Dense(TrainingSettings.Dense.Optimizer.ADAM, 5e-3, 0),
            new TrainingSettings.Embeddings(RowOptimizers.ADAGRAD, 0.2, 1e-9, 0, null, 0.3),
            usual.negativeSampling(),
            usual.unreachedSampling(),
            usual.scoring(),
            usual.clipNorm(),
            usual.maxNorm(),
            usual.maxSkipped(),
            usual.seed(),
            usual.device(),
            usual.trainers(),
            usual.products()));
  }

  private static ModelTrainer trainer(Pipeline pipeline) {
    return new ModelTrainer(pipeline.context(pipeline.models().get(0)), pipeline.training());
  }

  /**
   * Examples of a funnel whose steps depend on the first field; weights as given, one for a task.
   */
  private static List<EncodedExample> examples(
      Pipeline pipeline, int count, long seed, float weight) {
    Random random = new Random(seed);
    List<EncodedExample> examples = new ArrayList<>();
    int tasks = pipeline.tasks().size();
    ExampleEncoder encoder = new ExampleEncoder(pipeline.schema());
    for (int i = 0; i < count; i++) {
      int[] values = random.ints(FIELDS, 1, 6).toArray();
      List<String[]> texts = new ArrayList<>();
      Arrays.stream(values).forEach(v -> texts.add(new String[] {"v" + v}));
      if (pipeline.schema().many().contains("seen")) {
        texts.add(new String[] {"v" + values[1], "v" + values[2]});
      }
      float[][] weights = {};
      if (pipeline.schema().withWeights().contains("kept")) {
        weights = new float[texts.size() + 3][0];
        int size = i % 4;
        weights[texts.size()] = new float[size];
        String[] kept = new String[size];
        for (int j = 0; j < size; j++) {
          kept[j] = "v" + (values[0] + j);
          weights[texts.size()][j] = 1 + j;
        }
        texts.add(kept);
        weights[texts.size() + 1] = new float[] {values[0], values[1], values[2]};
        weights[texts.size()] = new float[] {3, 1};
        texts.add(new String[] {"v" + values[0], "v" + (values[0] + values[2])});
      }
      RawFeatures raw =
          new RawFeatures(
              texts.toArray(new String[0][]),
              pipeline.schema().numeric().stream().mapToDouble(name -> values[1] * 3.5).toArray(),
              weights);
      Impression impression = new Impression("i" + i, i * HOUR, raw, null);
      TaskLabel[] labels = new TaskLabel[tasks];
      boolean reached = true;
      for (int t = 0; t < tasks; t++) {
        boolean possible = reached;
        reached &= random.nextDouble() < 0.3 + 0.1 * (values[0] % 5);
        double yes = pipeline.tasks().get(t).binary() ? 1 : values[1] % 5;
        labels[t] = new TaskLabel(LabelKind.FINAL, reached ? yes : 0, weight, 0, -1, possible);
      }
      examples.add(encoder.encode(new LabeledExample(impression, 0, labels)));
    }
    return examples;
  }

  /** Labels that no field tells apart: the same share of yes in every task, some amounts. */
  private static List<EncodedExample> rare(Pipeline pipeline, int count, int every, long seed) {
    Random random = new Random(seed);
    List<EncodedExample> examples = new ArrayList<>();
    for (EncodedExample example : examples(pipeline, count, seed, 1)) {
      TaskLabel[] labels = example.labels();
      boolean yes = random.nextInt(every) == 0;
      for (int t = 0; t < labels.length; t++) {
        double amount = Math.exp(3 + 0.5 * random.nextGaussian());
        double value = pipeline.tasks().get(t).binary() ? 1 : amount;
        labels[t] = new TaskLabel(LabelKind.FINAL, yes ? value : 0, 1, 0, -1, t == 0 || yes);
      }
      examples.add(example);
    }
    return examples;
  }

  private static List<float[]> weights(Network network) {
    return network.weights().stream().map(TensorValues::copy).toList();
  }

  /** However rare an outcome is: no steps are needed to get from 0.5 to its rate. */
  @ParameterizedTest
  @ValueSource(strings = {"squared", "huber", "ziln"})
  void startsAtTheBaseRate(String loss) {
    Pipeline pipeline = pipeline(loss);
    try (ModelTrainer trainer = trainer(pipeline)) {
      List<EncodedExample> examples = rare(pipeline, 64 * 128, 20, 1);
      for (int i = 0; i < examples.size(); i += 128) {
        trainer.process(examples.subList(i, i + 128));
      }
      for (int t = 0; t < 2; t++) {
        Map<QualityMetric, Double> quality = trainer.quality().byTask().get("t" + t);
        assertThat(quality.get(QualityMetric.NORMALIZED_ENTROPY)).as("t" + t).isLessThan(1.05);
        assertThat(quality.get(QualityMetric.CALIBRATION)).as("t" + t).isBetween(0.7, 1.3);
        assertThat(quality.get(QualityMetric.EXAMPLES))
            .as("nothing is said at first")
            .isEqualTo(63 * 128);
      }
      assertThat(trainer.quality().value("core", QualityMetric.CALIBRATION)).isBetween(0.8, 1.2);
    }
  }

  @ParameterizedTest
  @CsvSource({"1,false", "1,true", "2,false", "2,true", "4,false", "4,true"})
  void anyChainIsPredictedAndLearnt(int binary, boolean core) {
    Pipeline pipeline = pipeline(binary, core);
    try (ModelTrainer trainer = trainer(pipeline)) {
      for (int size : new int[] {1, 7}) {
        List<EncodedExample> batch = examples(pipeline, size, size, 1);
        float[][] predictions = trainer.network().predict(batch);
        assertThat(predictions).hasDimensions(size, binary + (core ? 1 : 0));
        for (float[] row : predictions) {
          for (int t = 0; t < row.length; t++) {
            assertThat(row[t]).isFinite();
            if (t < binary) {
              assertThat(row[t]).isBetween(0f, 1f);
            }
          }
        }
        trainer.process(batch);
      }
      assertThat(trainer.steps()).isEqualTo(2);
    }
  }

  @ParameterizedTest(name = "crossed: {0}")
  @ValueSource(booleans = {false, true})
  void gradientsReachEveryWeightAndNoOther(boolean crossed) {
    Pipeline pipeline = pipeline(crossed);
    try (ModelTrainer trainer = trainer(pipeline)) {
      List<float[]> before = weights(trainer.network());
      for (int i = 0; i < 5; i++) {
        trainer.process(examples(pipeline, 256, i, 1));
      }
      List<float[]> after = weights(trainer.network());
      Set<String> still = new LinkedHashSet<>();
      Set<String> expected = new LinkedHashSet<>();
      for (int i = 0; i < before.size(); i++) {
        String name = trainer.network().parameters().get(i).name();
        if (Arrays.equals(before.get(i), after.get(i))) {
          still.add(name);
        }
        if (withoutGradient().stream().anyMatch(name::startsWith)) {
          expected.add(name);
        }
      }
      assertThat(still).as("weights that five steps did not change").isEqualTo(expected);
    }
  }

  /** Unless it draws noise, what a step's own forward pass says is what is said before it. */
  @Test
  void aStepPredictsWhatTheModelSaysBeforeIt() {
    Pipeline pipeline = pipeline(false);
    try (ModelTrainer trainer = trainer(pipeline)) {
      for (int i = 1; i <= 500; i++) {
        List<EncodedExample> batch = examples(pipeline, 16, i, 1);
        float[][] before = trainer.network().predict(batch);
        float[][] said = trainer.process(batch);
        for (int example = 0; example < said.length; example++) {
          assertThat(said[example]).containsExactly(before[example], offset(1e-5f));
        }
      }
      assertThat(trainer.steps()).isEqualTo(500);
    }
  }

  /** Rows that the batch does not hold stay bit for bit as they are. */
  @ParameterizedTest(name = "crossed: {0}")
  @ValueSource(booleans = {false, true})
  void onlyTheBatchsRowsChange(boolean crossed) throws IOException {
    Pipeline pipeline = pipeline(crossed);
    List<EncodedExample> all = examples(pipeline, 256, 1, 1);
    List<EncodedExample> some =
        all.stream().filter(e -> e.keys()[0] != all.get(0).keys()[0]).toList();
    try (ModelTrainer trainer = trainer(pipeline)) {
      trainer.process(all);
      Map<Long, List<Float>> before = rows(trainer.learner());
      trainer.process(some);
      Map<Long, List<Float>> after = rows(trainer.learner());
      Set<Long> changed = new LinkedHashSet<>();
      before.forEach(
          (key, row) -> {
            if (!row.equals(after.get(key))) {
              changed.add(key);
            }
          });
      Set<Long> held = new LinkedHashSet<>();
      new ExampleCompleter(pipeline.schema())
          .complete(some, trainer.numbers())
          .forEach(e -> Arrays.stream(e.keys()).forEach(held::add));
      assertThat(changed).isEqualTo(held);
    }
  }

  /** All tables' rows by key; a model with several sets of rows has them one after the other. */
  private static Map<Long, List<Float>> rows(Learner learner) throws IOException {
    Map<Long, List<Float>> rows = new HashMap<>();
    for (EmbeddingTable table : learner.tables()) {
      table.eachRow(
          (key, values, at) -> {
            for (int i = at; i < at + table.width(); i++) {
              rows.computeIfAbsent(key, k -> new ArrayList<>()).add(values[i]);
            }
          });
    }
    return rows;
  }

  @Test
  void noNativeArrayOutlivesItsCall() {
    Pipeline pipeline = pipeline(2, true);
    try (ModelTrainer trainer = trainer(pipeline)) {
      int start = trainer.network().nativeArrays();
      assertThat(start).isGreaterThan(0);
      for (int i = 0; i < 20; i++) {
        trainer.process(examples(pipeline, 16, i, 1));
        assertThat(trainer.network().nativeArrays()).isEqualTo(start);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"squared", "huber", "ziln"})
  void everyLossOfTheCoreTaskIsLearntWithItsWeights(String loss) {
    Pipeline pipeline = pipeline(loss);
    try (ModelTrainer trainer = fast(pipeline);
        ModelTrainer heavier = fast(pipeline)) {
      // The same first batch for both sets the running scale of the labels.
      trainer.process(examples(pipeline, 512, 1, 1));
      heavier.process(examples(pipeline, 512, 1, 3));
      assertThat(heavier.losses()[2] / trainer.losses()[2]).isBetween(2.999f, 3.001f);
      assertThat(heavier.norm() / trainer.norm()).isBetween(2.99f, 3.01f);
      for (int i = 2; i < 150; i++) {
        trainer.process(examples(pipeline, 512, i, 1));
        if (i == 100) {
          trainer.scores().reset();
        }
      }
      assertThat(trainer.quality().value("core", QualityMetric.SPEARMAN)).isGreaterThan(0.2);
    }
  }

  /** The core task's tower is its own in every model: with its labels masked, nothing moves it. */
  @Test
  void aMaskedTaskHasExactlyNoGradient() {
    Pipeline pipeline = pipeline(2, true);
    List<EncodedExample> masked = new ArrayList<>();
    for (EncodedExample example : examples(pipeline, 64, 1, 1)) {
      example.labels()[2] = new TaskLabel(LabelKind.FINAL, 9, 0, 0, -1, true);
      masked.add(example);
    }
    try (ModelTrainer trainer = trainer(pipeline)) {
      List<float[]> before = weights(trainer.network());
      trainer.process(masked);
      assertThat(trainer.losses()[2]).isZero();
      List<float[]> after = weights(trainer.network());
      int towers = 0;
      boolean learnt = false;
      for (int i = 0; i < before.size(); i++) {
        learnt |= !Arrays.equals(after.get(i), before.get(i));
        if (trainer.network().parameters().get(i).name().startsWith("tower2.")) {
          assertThat(after.get(i)).isEqualTo(before.get(i));
          towers++;
        }
      }
      assertThat(towers).isGreaterThan(2);
      assertThat(learnt).isTrue();
    }
  }

  /** A weight w counts as w examples: twice the weight is twice the gradient. */
  @Test
  void importanceWeightsReachTheLoss() {
    Pipeline pipeline = pipeline(2, true);
    // Enough examples to hold the amounts without which the core task is not learnt at all.
    float[] once;
    float[] twice;
    float normOnce;
    try (ModelTrainer trainer = trainer(pipeline)) {
      trainer.process(examples(pipeline, 512, 1, 1));
      once = trainer.losses();
      normOnce = trainer.norm();
    }
    try (ModelTrainer trainer = trainer(pipeline)) {
      trainer.process(examples(pipeline, 512, 1, 2));
      twice = trainer.losses();
      assertThat(trainer.norm() / normOnce).isBetween(1.999f, 2.001f);
    }
    for (int t = 0; t < once.length; t++) {
      assertThat(twice[t] / once[t]).isBetween(1.999f, 2.001f);
    }
  }

  @Test
  void aSeedGivesTheSameWeightsAndAnotherOthers() {
    Pipeline pipeline = pipeline(2, true);
    List<List<float[]>> runs = new ArrayList<>();
    for (int run = 0; run < 2; run++) {
      try (ModelTrainer trainer = trainer(pipeline)) {
        for (int i = 0; i < 3; i++) {
          trainer.process(examples(pipeline, 64, i, 1));
        }
        runs.add(weights(trainer.network()));
      }
    }
    assertThat(runs.get(1)).usingRecursiveComparison().isEqualTo(runs.get(0));
  }

  @ParameterizedTest(name = "crossed: {0}")
  @ValueSource(booleans = {false, true})
  void publishedWeightsPredictExactlyTheSame(boolean crossed) throws IOException {
    Pipeline pipeline = pipeline(crossed);
    List<EncodedExample> batch = examples(pipeline, 32, 9, 1);
    List<ServedRows> rows = pipeline.context(pipeline.models().get(0)).tables(ServedRows::new);
    try (ModelTrainer trainer = trainer(pipeline);
        Network copy = new Network(trainer.context(), rows)) {
      for (int i = 0; i < 5; i++) {
        trainer.process(examples(pipeline, 64, i, 1));
      }
      ByteArrayOutputStream payload = new ByteArrayOutputStream();
      WeightTensors.base(trainer.network(), trainer.learner().tables(), Precision.FLOAT32)
          .write(payload);
      new WeightsLoader(copy, rows).base(ByteBuffer.wrap(payload.toByteArray())).run();
      copy.numbers(trainer.numbers());
      assertThat(copy.predict(batch)).isDeepEqualTo(trainer.network().predict(batch));
    }
  }

  /** What is exported runs in any libtorch, without this code. */
  @ParameterizedTest(name = "crossed: {0}")
  @ValueSource(booleans = {false, true})
  void theGraphPredictsTheSame(boolean crossed) {
    Pipeline pipeline = pipeline(crossed);
    List<EncodedExample> batch = examples(pipeline, 32, 9, 1);
    try (ModelTrainer trainer = trainer(pipeline)) {
      for (int i = 0; i < 5; i++) {
        trainer.process(examples(pipeline, 64, i, 1));
      }
      ByteArrayOutputStream graph = new ByteArrayOutputStream();
      trainer.network().writeGraph(graph);
      float[][] expected = trainer.network().predict(batch);
      List<BatchRows> rows = new ArrayList<>();
      List<FeatureSchema.Group> groups = pipeline.schema().groups();
      for (EmbeddingTable table : trainer.learner().tables()) {
        rows.add(new BatchRows(groups.get(rows.size() % groups.size()), table));
      }
      List<EncodedExample> complete =
          new ExampleCompleter(pipeline.schema()).complete(batch, trainer.numbers());
      rows.forEach(of -> of.gather(complete, example -> false));
      HostBuffer shape = new HostBuffer();
      shape.floats(batch.size());
      try (TorchEngine.Module module = TorchEngine.load(graph.toByteArray());
          TorchEngine.Call call = module.call("predict")) {
        rows.forEach(of -> of.addRows(call));
        rows.forEach(of -> of.addIndices(call));
        rows.forEach(of -> of.addStarts(call));
        rows.forEach(of -> of.addWeights(call));
        FloatBuffer out = call.add("shape", shape, batch.size()).run().get(0);
        for (float[] row : expected) {
          for (float value : row) {
            assertThat(out.get()).isEqualTo(value);
          }
        }
      }
    }
  }

  /**
   * On a device whose memory is apart all is as it is on the host, to the bit: what is predicted
   * and learnt, what a snapshot of either is to the other, and what is published.
   */
  @ParameterizedTest(name = "crossed: {0}")
  @ValueSource(booleans = {false, true})
  void learnsTheSameOnADeviceOfItsOwn(boolean crossed) throws IOException {
    Pipeline pipeline = pipeline(crossed);
    List<EncodedExample> batch = examples(pipeline, 32, 9, 1);
    List<ServedRows> rows = pipeline.context(pipeline.models().get(0)).tables(ServedRows::new);
    try (ModelTrainer host = trainer(pipeline);
        ModelTrainer there = on(pipeline, TestingDevices.APART);
        ModelTrainer back = trainer(pipeline);
        ModelTrainer again = on(pipeline, TestingDevices.APART);
        Network copy = new Network(host.context(), rows, TestingDevices.APART)) {
      for (int i = 0; i < 4; i++) {
        List<EncodedExample> next = examples(pipeline, i == 2 ? 9 : 48, i, 1);
        assertThat(there.process(next)).isDeepEqualTo(host.process(next));
        assertThat(there.norm()).as("norm").isEqualTo(host.norm());
      }
      assertThat(snapshot(there)).isEqualTo(snapshot(host));
      TrainerSnapshot.read(back, new ByteArrayInputStream(snapshot(there)));
      TrainerSnapshot.read(again, new ByteArrayInputStream(snapshot(host)));
      List<EncodedExample> next = examples(pipeline, 48, 5, 1);
      float[][] expected = host.process(next);
      assertThat(back.process(next)).isDeepEqualTo(expected);
      assertThat(again.process(next)).isDeepEqualTo(expected);
      assertThat(snapshot(again)).isEqualTo(snapshot(host));

      ByteArrayOutputStream payload = new ByteArrayOutputStream();
      WeightTensors.base(again.network(), again.learner().tables(), Precision.FLOAT32)
          .write(payload);
      new WeightsLoader(copy, rows).base(ByteBuffer.wrap(payload.toByteArray())).run();
      copy.numbers(again.numbers());
      assertThat(copy.predict(batch)).isDeepEqualTo(host.network().predict(batch));

      ByteArrayOutputStream graph = new ByteArrayOutputStream();
      again.network().writeGraph(graph);
      ByteArrayOutputStream same = new ByteArrayOutputStream();
      host.network().writeGraph(same);
      assertThat(graph.toByteArray()).isEqualTo(same.toByteArray());
      int arrays = again.network().nativeArrays();
      again.process(next);
      assertThat(again.network().nativeArrays()).isEqualTo(arrays);
    }
  }

  /** How far the lazy device is one that this model can be compared on. */
  protected enum Lazy {
    /** It computes what the host computes. */
    SAME,
    /** It computes something else, but it computes. */
    OTHER,
    /** It takes a number in the script for a double and fails. */
    NOT
  }

  protected Lazy lazy() {
    return Lazy.SAME;
  }

  /** No tensor of the host gets among those of a device, which a GPU refuses as this one does. */
  @Test
  void mixesNoDevices() {
    assumeTrue(lazy() != Lazy.NOT, "the lazy device cannot compute this model");
    // It has no fused Adam.
    String adagrad = "\ntraining: {dense: {optimizer: adagrad}}";
    Pipeline pipeline = pipeline(2, true, model() + adagrad, MORE);
    try (ModelTrainer host = trainer(pipeline);
        ModelTrainer there = on(pipeline, TestingDevices.of("lazy:0"))) {
      for (int i = 0; i < 2; i++) {
        List<EncodedExample> next = examples(pipeline, 24, i, 1);
        float[][] found = there.process(next);
        float[][] expected = host.process(next);
        for (int j = 0; j < found.length && lazy() == Lazy.SAME; j++) {
          assertThat(found[j]).containsExactly(expected[j], offset(1e-4f));
        }
      }
      assertThat(there.steps()).isEqualTo(2);
    }
  }

  private static ModelTrainer on(Pipeline pipeline, TorchDevice device) {
    return new ModelTrainer(
        pipeline.context(pipeline.models().get(0)), pipeline.training(), device);
  }

  /** A trainer that stops and goes on is as one that never stopped, rows of crosses included. */
  @ParameterizedTest(name = "crossed: {0}")
  @ValueSource(booleans = {false, true})
  void goesOnFromItsSnapshot(boolean crossed) throws IOException {
    Pipeline pipeline = pipeline(crossed);
    try (ModelTrainer straight = trainer(pipeline);
        ModelTrainer first = trainer(pipeline);
        ModelTrainer second = trainer(pipeline)) {
      first.process(examples(pipeline, 64, 1, 1));
      TrainerSnapshot.read(second, new ByteArrayInputStream(snapshot(first)));
      second.process(examples(pipeline, 64, 2, 1));
      straight.process(examples(pipeline, 64, 1, 1));
      straight.process(examples(pipeline, 64, 2, 1));
      assertThat(snapshot(second)).isEqualTo(snapshot(straight));
      assertThat(straight.fieldCounts().fields())
          .as("nobody sends times and crosses")
          .isEqualTo(
              crossed
                  ? List.of(
                      "often", "f0", "f1", "f2", "seen", "kept", "image", "topics", "price", "age")
                  : List.of("f0", "f1", "f2"));
      assertThat(straight.evidence().absentFields()).isEmpty();
    }
  }

  /** Parts of a batch, added up, are the batch; how many there are is no part of a checkpoint. */
  @ParameterizedTest(name = "crossed: {0}")
  @ValueSource(booleans = {false, true})
  void severalTrainersLearnAsOne(boolean crossed) throws IOException {
    String more = crossed ? MORE : "";
    Pipeline alone = pipeline(2, true, additive(), more);
    Pipeline shared = pipeline(2, true, additive(), more + "training: {trainers: 3}\n");
    try (ModelTrainer one = trainer(alone);
        ModelTrainer three = trainer(shared);
        ModelTrainer again = trainer(shared);
        ModelTrainer later = trainer(shared)) {
      for (int i = 0; i < 6; i++) {
        List<EncodedExample> batch = examples(alone, 101, i, 1);
        float[][] expected = one.process(batch);
        assertClose(three.process(batch), expected);
        again.process(batch);
        assertThat(three.norm()).isCloseTo(one.norm(), offset(1e-4f * one.norm()));
        assertThat(three.losses()).containsExactly(one.losses(), offset(1e-5f));
      }
      assertThat(snapshot(three)).isEqualTo(snapshot(again));
      TrainerSnapshot.read(later, new ByteArrayInputStream(snapshot(one)));
      for (int i = 6; i < 9; i++) {
        List<EncodedExample> batch = examples(alone, 101, i, 1);
        assertClose(later.process(batch), one.process(batch));
      }
      assertThat(later.rows()).isEqualTo(one.rows());
    }
  }

  /** Products in bfloat16: nearly the same losses and gradients; what is served is float32. */
  @ParameterizedTest(name = "crossed: {0}")
  @ValueSource(booleans = {false, true})
  void learnsWithProductsInBfloat16(boolean crossed) {
    String more = crossed ? MORE : "";
    Pipeline plain = pipeline(2, true, model(), more);
    Pipeline half = pipeline(2, true, model(), more + "training: {products: bfloat16}\n");
    List<EncodedExample> batch = examples(plain, 400, 1, 1);
    try (ModelTrainer exact = trainer(plain);
        ModelTrainer rough = trainer(half)) {
      assertThat(rough.network().predict(batch)).isDeepEqualTo(exact.network().predict(batch));
      exact.process(batch);
      rough.process(batch);
      for (int task = 0; task < 3; task++) {
        float loss = exact.losses()[task];
        assertThat(rough.losses()[task]).as("task %s", task).isCloseTo(loss, offset(0.02f * loss));
      }
      assertThat(rough.norm()).isCloseTo(exact.norm(), offset(0.2f * exact.norm()));
      assertThat(rough.norm()).as("other products").isNotEqualTo(exact.norm());
      assertThat(rough.steps()).isEqualTo(1);
    }
  }

  private static void assertClose(float[][] found, float[][] expected) {
    assertThat(found.length).isEqualTo(expected.length);
    for (int i = 0; i < found.length; i++) {
      assertThat(found[i]).as("example %s", i).containsExactly(expected[i], offset(1e-4f));
    }
  }

  private static byte[] snapshot(ModelTrainer trainer) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    TrainerSnapshot.write(trainer, TrainerSnapshot.Surroundings.none(1), out);
    return out.toByteArray();
  }

  @Test
  void theLossFalls() {
    Pipeline pipeline = pipeline(2, true);
    try (ModelTrainer trainer = fast(pipeline)) {
      trainer.process(examples(pipeline, 512, 1, 1));
      float[] first = trainer.losses();
      for (int i = 2; i < 150; i++) {
        trainer.process(examples(pipeline, 512, i, 1));
      }
      trainer.process(examples(pipeline, 512, 1, 1));
      for (int t = 0; t < first.length; t++) {
        assertThat(trainer.losses()[t]).as("task %s", t).isLessThan(first[t]);
      }
    }
  }
}
