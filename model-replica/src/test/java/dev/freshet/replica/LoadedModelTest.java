package dev.freshet.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.freshet.core.events.EventReader;
import dev.freshet.core.events.FieldCounts;
import dev.freshet.core.events.Impression;
import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.features.FeatureField;
import dev.freshet.core.features.TestingExamples;
import dev.freshet.core.labels.LabeledExample;
import dev.freshet.core.network.ModelContext;
import dev.freshet.core.network.Shrinkage;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.core.snapshot.ModelRecord;
import dev.freshet.core.snapshot.ModelVersion;
import dev.freshet.core.snapshot.SnapshotAssembler;
import dev.freshet.core.snapshot.SnapshotAssembler.BrokenSnapshotException;
import dev.freshet.core.snapshot.SnapshotAssembler.Snapshot;
import dev.freshet.core.snapshot.StorageException;
import dev.freshet.training.ModelTrainer;
import dev.freshet.training.publishing.Lineage;
import dev.freshet.training.publishing.SnapshotWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksIterator;

class LoadedModelTest {

  private final Pipeline pipeline = TestingPipelines.shop();

  @ParameterizedTest
  @ValueSource(strings = {"main", "plain"})
  void predictsWhatTheTrainerPredicts(String model) throws IOException {
    try (ModelTrainer trainer =
        new ModelTrainer(pipeline.context(pipeline.model(model)), pipeline.training())) {
      List<EncodedExample> examples = TestingExamples.settled(pipeline, 64 * 30, 1);
      for (int i = 0; i < examples.size(); i += 64) {
        trainer.process(examples.subList(i, i + 64));
      }
      assertThat(trainer.shrinkages()).anyMatch(shrinkage -> shrinkage.slope() < 1);
      // Other impressions than those learnt from: some of their users and tags were never seen.
      List<LabeledExample> fresh = TestingExamples.labelled(200, 99);
      List<Impression> impressions = fresh.stream().map(LabeledExample::impression).toList();
      float[][] expected = trainer.network().predict(TestingExamples.settled(pipeline, 200, 99));
      LoadedModel loaded = new LoadedModel(trainer.context(), snapshot(records(trainer)));
      List<Prediction> predictions = predict(loaded, impressions);
      for (int i = 0; i < expected.length; i++) {
        var scores = predictions.get(i).scores();
        double[] served = trainer.served().served(expected[i]);
        assertThat(scores.get("click")).isCloseTo(served[0], within(1e-6));
        assertThat(scores.get("purchase")).isCloseTo(served[1], within(1e-6));
        assertThat(scores.get("revenue")).isCloseTo(served[2], within(1e-6));
        assertThat(predictions.get(i).version()).isEqualTo("7-30");
      }
      loaded.release();
      assertThat(loaded.lease()).as("the weights are gone").isFalse();
    }
  }

  /** What FNC learns is not what is served; the manifest says so, and the replica turns it back. */
  @Test
  void servesWhatTheCorrectionSays() throws IOException {
    Pipeline fnc =
        PipelineFile.parse(
            TestingPipelines.SHOP
                .replace("name: click,", "name: click, correction: fnc,")
                .replace("training: {", "training: {negative-sampling: 0.25, "),
            "test");
    try (ModelTrainer trainer = new ModelTrainer(fnc.context(fnc.model("plain")), fnc.training())) {
      trainer.process(TestingExamples.settled(fnc, 64, 1));
      Snapshot snapshot = snapshot(records(trainer));
      assertThat(snapshot.manifest().corrections())
          .containsEntry("click", "fnc")
          .containsEntry("purchase", "wait")
          .hasSize(2);
      List<LabeledExample> fresh = TestingExamples.labelled(20, 99);
      Shrinkage clicks = snapshot.manifest().shrinkage("click");
      Shrinkage purchases = snapshot.manifest().shrinkage("purchase");
      float[][] learnt = trainer.network().predict(TestingExamples.settled(fnc, 20, 99));
      // The replica's own file may say something else: the manifest counts.
      LoadedModel loaded = new LoadedModel(pipeline.context(pipeline.model("plain")), snapshot);
      List<Prediction> served =
          predict(loaded, fresh.stream().map(LabeledExample::impression).toList());
      for (int i = 0; i < learnt.length; i++) {
        double b = 0.25 * learnt[i][0] / (1 - 0.75 * learnt[i][0]);
        double purchase = 0.25 * learnt[i][1] / (1 - 0.75 * learnt[i][1]);
        double click = clicks.served(b < 0.5 ? b / (1 - b) : 1);
        double bought = purchases.served(purchase);
        assertThat(served.get(i).scores().get("click")).isCloseTo(click, within(1e-5));
        assertThat(served.get(i).scores().get("purchase"))
            .isCloseTo(purchase <= click ? Math.min(bought, click) : bought, within(1e-5));
      }
      loaded.release();
    }
  }

  /** A base and a chain of deltas are, version by version, what the trainer was. */
  @ParameterizedTest
  @CsvSource({"float32,1,1e-6", "float32,3,1e-1", "float16,1,2e-3", "bfloat16,1,2e-2"})
  void deltasBringItToWhereTheTrainerIs(String precision, int denseEvery, double tolerance)
      throws IOException {
    Pipeline shop = expiring();
    SnapshotWriter writer =
        writer(
            "base-every: 100, largest-delta: 100, dense-every: %d, precision: %s"
                .formatted(denseEvery, precision));
    try (ModelTrainer trainer =
        new ModelTrainer(shop.context(shop.model("plain")), shop.training())) {
      List<EncodedExample> examples = examples(shop);
      LoadedModel loaded = null;
      int deltas = 0;
      for (int step = 0; step < 12; step++) {
        trainer.process(examples.subList(step * 64, step * 64 + 64));
        Snapshot snapshot = snapshot(written(writer, trainer));
        if (loaded == null) {
          assertThat(snapshot.manifest().isDelta()).isFalse();
          loaded = new LoadedModel(trainer.context(), snapshot);
        } else {
          assertThat(snapshot.manifest().isDelta()).isTrue();
          assertThat(loaded.isParentOf(snapshot.manifest())).isTrue();
          loaded.become(snapshot);
          deltas++;
          assertThat(loaded.isParentOf(snapshot.manifest())).isFalse();
        }
        same(trainer, loaded, shop, tolerance);
      }
      assertThat(deltas).isEqualTo(11);
      loaded.release();
    }
  }

  /** Where a version is both, the delta leads to just the weights that the base has. */
  @ParameterizedTest
  @CsvSource({"float32,1", "float32,3", "float16,3"})
  void aVersionIsTheSameAsDeltaAndAsBase(String precision, int denseEvery) throws IOException {
    Pipeline shop = expiring();
    SnapshotWriter writer =
        writer(
            "base-every: 4, largest-delta: 100, dense-every: %d, precision: %s"
                .formatted(denseEvery, precision));
    try (ModelTrainer trainer =
        new ModelTrainer(shop.context(shop.model("plain")), shop.training())) {
      List<EncodedExample> examples = examples(shop);
      List<Impression> fresh =
          TestingExamples.labelled(shop, 100, 99).stream().map(LabeledExample::impression).toList();
      LoadedModel following = null;
      List<Integer> both = new ArrayList<>();
      for (int step = 0; step < 10; step++) {
        trainer.process(examples.subList(step * 64, step * 64 + 64));
        List<Snapshot> published = snapshots(written(writer, trainer));
        if (following == null) {
          following = new LoadedModel(trainer.context(), published.get(0));
          assertThat(published).as("nothing to build on").hasSize(1);
          continue;
        }
        assertThat(following.isParentOf(published.get(0).manifest())).isTrue();
        following.become(published.get(0));
        if (published.size() == 2) {
          both.add(step);
          LoadedModel starting = new LoadedModel(trainer.context(), published.get(1));
          assertThat(predict(following, fresh)).isEqualTo(predict(starting, fresh));
          starting.release();
          following.becomeBase(published.get(1).manifest());
          assertThat(following.manifest()).isSameAs(published.get(1).manifest());
        }
      }
      assertThat(both).containsExactly(4, 8);
      following.release();
    }
  }

  /** Rows come, change and go between two bases; the second replaces the first in place. */
  @Test
  void aBaseReplacesWhatIsThere() throws IOException {
    Pipeline shop = expiring();
    SnapshotWriter writer = writer("base-every: 1");
    try (ModelTrainer trainer =
        new ModelTrainer(shop.context(shop.model("plain")), shop.training())) {
      List<EncodedExample> examples = examples(shop);
      trainer.process(examples.subList(0, 64));
      LoadedModel loaded = new LoadedModel(trainer.context(), snapshot(written(writer, trainer)));
      for (int step = 1; step < 12; step++) {
        trainer.process(examples.subList(step * 64, step * 64 + 64));
        Snapshot base = snapshot(written(writer, trainer));
        assertThat(base.manifest().isDelta()).isFalse();
        loaded.become(base);
        same(trainer, loaded, shop, 1e-6);
      }
      assertThat(loaded.asBase().manifest().bytes())
          .as("as many rows as the trainer has")
          .isEqualTo(snapshot(written(writer, trainer)).manifest().bytes());
      loaded.release();
    }
  }

  /** Rows of users who were not seen for a while are dropped, and some come back. */
  private static Pipeline expiring() {
    return TestingPipelines.shop(
        "{name: user, kind: categorical, dim: 8, admit-after: 1}",
        "{name: user, kind: categorical, dim: 8, admit-after: 1, expire-after: 1s}\n"
            + "  - {name: both, kind: cross, of: [user, item], dim: 2}\n"
            + "  - {name: hour, kind: time, part: hour}\n"
            + "  - {name: clicks, kind: count, of: click, by: item, half-life: 1h}\n"
            + "  - {name: rate, kind: count, of: click, per: impression, by: item, half-life: 1h, dim: 4}\n"
            + "  - {name: liked, kind: cross, of: [rate, user], dim: 2}\n"
            + "  - {name: any, kind: cross, of: [tags, price], dim: 4}\n"
            + "  - {name: seen, kind: categorical, many: true, rows-of: item, pooling: attention, target: item}\n"
            + "  - {name: topics, kind: categorical, many: true, weighted: true, admit-after: 1}\n"
            + "  - {name: cost, kind: numeric, dim: 4}\n"
            + "  - {name: age, kind: numeric, as: value, scale: log1p, clip: [-1, 1]}\n"
            + "  - {name: image, kind: vector, size: 3}\n"
            + "  - {name: dear, kind: cross, of: [cost, user], dim: 2, admit-after: 1}\n"
            + "  - {name: here, kind: cross, of: [topics, item], dim: 2, admit-after: 1}");
  }

  private static List<EncodedExample> examples(Pipeline shop) {
    // A second passes between any two steps, so that rows expire from one version to the next.
    List<EncodedExample> examples = TestingExamples.settled(shop, 64 * 12, 5);
    List<EncodedExample> later = new ArrayList<>();
    for (int i = 0; i < examples.size(); i++) {
      EncodedExample e = examples.get(i);
      long time = e.eventTime() + i / 64 * 1500L;
      later.add(
          new EncodedExample(
              e.id(),
              e.impression(),
              time,
              false,
              e.keys(),
              e.starts(),
              e.weights(),
              e.labels(),
              e.served()));
    }
    return later;
  }

  private void same(ModelTrainer trainer, LoadedModel loaded, Pipeline shop, double tolerance) {
    float[][] expected = trainer.network().predict(TestingExamples.settled(shop, 100, 99));
    List<Impression> fresh =
        TestingExamples.labelled(shop, 100, 99).stream().map(LabeledExample::impression).toList();
    List<Prediction> predictions = predict(loaded, fresh);
    for (int i = 0; i < expected.length; i++) {
      double[] served = trainer.served().served(expected[i]);
      assertThat(predictions.get(i).scores().get("click")).isCloseTo(served[0], within(tolerance));
      assertThat(predictions.get(i).scores().get("purchase"))
          .isCloseTo(served[1], within(tolerance));
    }
  }

  /** Rows on disk, through a cache that holds nearly nothing, are the rows of the trainer too. */
  @Test
  void rowsMayLieOnDisk(@TempDir Path folder) throws IOException {
    Pipeline shop = expiring();
    SnapshotWriter writer = writer("base-every: 5, largest-delta: 100");
    ModelContext context = shop.context(shop.model("plain"));
    try (ModelTrainer trainer = new ModelTrainer(context, shop.training())) {
      List<EncodedExample> examples = examples(shop);
      LoadedModel loaded = null;
      int bases = 0;
      for (int step = 0; step < 12; step++) {
        trainer.process(examples.subList(step * 64, step * 64 + 64));
        List<Snapshot> published = snapshots(written(writer, trainer));
        Snapshot snapshot = published.get(0);
        Snapshot last = published.get(published.size() - 1);
        bases += last.manifest().isDelta() ? 0 : 1;
        if (loaded == null) {
          loaded = new LoadedModel(context, snapshot, new RowDatabase(folder, 4096, context));
        } else if (step == 10) {
          loaded.become(last); // a base, over what is there
        } else {
          loaded.become(snapshot);
          if (last != snapshot) {
            loaded.becomeBase(last.manifest());
          }
        }
        same(trainer, loaded, shop, 1e-6);
        if (step % 4 == 3) {
          // As after a restart: nothing but the folder is left.
          String version = loaded.manifest().version();
          loaded.release();
          loaded = reopened(context, folder).get();
          assertThat(loaded.manifest().version()).isEqualTo(version);
          same(trainer, loaded, shop, 1e-6);
        }
      }
      assertThat(bases).isEqualTo(3);
      trainer.process(TestingExamples.settled(shop, 64, 2));
      Snapshot delta = snapshot(written(writer, trainer));
      ByteBuffer cut = delta.payload().slice(0, delta.payload().capacity() / 2);
      String version = loaded.manifest().version();
      LoadedModel holding = loaded;
      assertThatThrownBy(() -> holding.become(new Snapshot(delta.manifest(), cut)))
          .isInstanceOf(IOException.class);
      assertThat(loaded.manifest().version()).isEqualTo(version);
      loaded.become(delta);
      same(trainer, loaded, shop, 1e-6);
      loaded.replaced();
      assertThat(folder).as("gone with the last user").doesNotExist();
    }
  }

  /** The version before stays whole, and the next attempt finds nothing of the one that failed. */
  private static Optional<LoadedModel> reopened(ModelContext context, Path folder)
      throws IOException {
    return LoadedModel.reopened(
        context,
        new RowDatabase(folder, 4096, context),
        manifest -> manifest.schema().equals(context.schema().fingerprint()));
  }

  /** As a database of before first-order weights is: what they were worth then is nothing. */
  @Test
  void rowsOnDiskOfBeforeFirstOrderWeightsAreRead(@TempDir Path folder) throws Exception {
    Pipeline shop =
        TestingPipelines.shop("training: {", "training: {embeddings: {first-order: 0}, ");
    ModelContext context = shop.context(shop.model("plain"));
    try (ModelTrainer trainer = new ModelTrainer(context, shop.training())) {
      trainer.process(examples(shop).subList(0, 64));
      LoadedModel loaded =
          new LoadedModel(
              context, snapshot(records(trainer)), new RowDatabase(folder, 4096, context));
      same(trainer, loaded, shop, 1e-6);
      loaded.release();
      assertThat(cutRows(folder, context)).isGreaterThan(20);
      loaded = reopened(context, folder).get();
      same(trainer, loaded, shop, 1e-6);
      loaded.release();
    }
  }

  /** Cuts all rows to their embeddings. */
  private static int cutRows(Path folder, ModelContext context) throws Exception {
    int cut = 0;
    try (Stream<Path> databases = Files.list(folder);
        RocksDB db = RocksDB.open(databases.findAny().orElseThrow().toString());
        RocksIterator rows = db.newIterator()) {
      for (rows.seekToFirst(); rows.isValid(); rows.next()) {
        int table = rows.key()[0];
        if (table >= 0) {
          int dim = context.schema().groups().get(table).dim();
          assertThat(rows.value().length).isGreaterThan(dim * Float.BYTES);
          db.put(rows.key(), Arrays.copyOf(rows.value(), dim * Float.BYTES));
          cut++;
        }
      }
    }
    return cut;
  }

  /** The pipeline was changed while the replica was down. */
  @ParameterizedTest
  @CsvSource({"dim: 8, dim: 4", "dim: 8, dim: 64", "name: user, name: visitor"})
  void rowsOnDiskOfAnotherSizeAreThrownAway(String is, String other, @TempDir Path folder)
      throws IOException {
    ModelContext context = pipeline.context(pipeline.model("plain"));
    try (ModelTrainer trainer = new ModelTrainer(context, pipeline.training())) {
      trainer.process(examples(pipeline).subList(0, 64));
      new LoadedModel(context, snapshot(records(trainer)), new RowDatabase(folder, 4096, context))
          .release();
    }
    Pipeline changed = TestingPipelines.shop(is, other);
    assertThat(reopened(changed.context(changed.model("plain")), folder)).isEmpty();
    assertThat(folder).doesNotExist();
  }

  @Test
  void aFullDiskIsToldApartAndMayBeTriedAgain(@TempDir Path folder) throws IOException {
    Path full = Path.of("/dev/full");
    assumeTrue(Files.exists(full), "no device that is always full");
    Pipeline shop = expiring();
    SnapshotWriter writer = writer("base-every: 1");
    ModelContext context = shop.context(shop.model("plain"));
    try (ModelTrainer trainer = new ModelTrainer(context, shop.training())) {
      trainer.process(examples(shop).subList(0, 64));
      LoadedModel loaded =
          new LoadedModel(
              context, snapshot(written(writer, trainer)), new RowDatabase(folder, 4096, context));
      List<Prediction> before = predict(loaded, impressions());
      trainer.process(examples(shop).subList(64, 128));
      List<Snapshot> second = snapshots(written(writer, trainer));
      Snapshot base = second.get(second.size() - 1);
      Path next = Files.createDirectories(folder.resolve("rows-000000001"));
      Files.createSymbolicLink(next.resolve("base-0.sst"), full);
      assertThatThrownBy(() -> loaded.become(base)).isInstanceOf(StorageException.class);
      assertThat(predict(loaded, impressions())).isEqualTo(before);
      loaded.become(base);
      same(trainer, loaded, shop, 1e-6);
      loaded.replaced();
    }
  }

  private List<Prediction> predict(LoadedModel by, List<Impression> impressions) {
    return by.predict(impressions, counts(expiring()));
  }

  private static FieldCounts counts(Pipeline of) {
    return new FieldCounts(
        of.context(of.model("plain")).schema().sent().stream().map(FeatureField::name).toList());
  }

  private static List<Impression> impressions() {
    return TestingExamples.labelled(expiring(), 100, 99).stream()
        .map(LabeledExample::impression)
        .toList();
  }

  /** Wherever the rows are, an absent field and a value without a row are told and counted. */
  @ParameterizedTest
  @ValueSource(longs = {0, 4096})
  void tellsWhatItDoesNotKnow(long cache, @TempDir Path folder) throws IOException {
    Pipeline shop = expiring();
    ModelContext context = shop.context(shop.model("plain"));
    EventReader reader = shop.eventReader();
    try (ModelTrainer trainer = new ModelTrainer(context, shop.training())) {
      trainer.process(examples(shop).subList(0, 640));
      LoadedModel loaded =
          new LoadedModel(
              context,
              snapshot(records(trainer)),
              cache == 0 ? null : new RowDatabase(folder, cache, context));
      String seen =
          "{\"user\": \"u1\", \"item\": \"i1\", \"tags\": [\"t1\"], \"price\": 5, \"seen\": [\"i2\"],"
              + " \"clicks\": 3, \"rate\": 3, \"topics\": {\"odd\": 2, \"even\": 1}, \"cost\": 7, \"age\": 12, \"image\": [1, 2, 3]}";
      String strange =
          "{\"user\": \"nobody\", \"item\": null, \"tags\": [\"t1\", \"never\"],"
              + " \"topics\": [[\"odd\", 0]], \"age\": 1e9, \"image\": []}";
      List<Impression> impressions = new ArrayList<>();
      for (String features : List.of(seen, strange)) {
        String message =
            "{\"impression_id\": \"i\", \"event_time\": 1767225600000, \"features\": "
                + features
                + "}";
        impressions.add(reader.impression(message.getBytes(StandardCharsets.UTF_8)).event());
      }
      FieldCounts counts = counts(shop);
      List<Prediction> predictions = loaded.predict(impressions, counts);
      assertThat(predictions.get(0).missing()).isEmpty();
      assertThat(predictions.get(0).unknown()).isEmpty();
      assertThat(predictions.get(1).missing())
          .containsExactlyInAnyOrder(
              "item", "price", "seen", "topics", "cost", "image", "clicks", "rate");
      assertThat(predictions.get(1).unknown()).containsExactlyInAnyOrder("user", "tags");
      assertThat(counts.impressions()).isEqualTo(2);
      assertThat(counts.byField().get("user")).isEqualTo(Map.of("unknown", 1L));
      assertThat(counts.byField().get("age")).isEqualTo(Map.of("clipped", 1L));
      assertThat(counts.byField().get("price")).isEqualTo(Map.of("absent", 1L));
      loaded.replaced();
    }
  }

  /** However many score when the replica goes, the weights stay until the last of them is done. */
  @Test
  void weightsStayUntilTheLastUserIsDone() throws Exception {
    try (ModelTrainer trainer =
        new ModelTrainer(pipeline.context(pipeline.model("plain")), pipeline.training())) {
      trainer.process(TestingExamples.settled(pipeline, 64, 1));
      Snapshot base = snapshot(records(trainer));
      for (int round = 0; round < 20; round++) {
        LoadedModel loaded = new LoadedModel(trainer.context(), base);
        AtomicBoolean retired = new AtomicBoolean();
        AtomicInteger gone = new AtomicInteger();
        AtomicInteger scored = new AtomicInteger();
        CountDownLatch begun = new CountDownLatch(3);
        List<CompletableFuture<Void>> users = new ArrayList<>();
        for (int user = 0; user < 3; user++) {
          users.add(
              CompletableFuture.runAsync(
                  () -> {
                    while (!retired.get() && loaded.lease()) {
                      begun.countDown();
                      assertThat(predict(loaded, impressions())).hasSize(100);
                      assertThat(gone.get()).as("not while in use").isZero();
                      scored.incrementAndGet();
                      loaded.release();
                    }
                  }));
        }
        begun.await();
        retired.set(true);
        loaded.retire(gone::incrementAndGet);
        for (CompletableFuture<Void> user : users) {
          user.get(60, TimeUnit.SECONDS);
        }
        assertThat(gone).hasValue(1);
        assertThat(scored.get()).isGreaterThanOrEqualTo(3);
      }
    }
  }

  @Test
  void aDeltaThatDoesNotFitChangesNothing() throws IOException {
    try (ModelTrainer trainer =
        new ModelTrainer(pipeline.context(pipeline.model("plain")), pipeline.training())) {
      trainer.process(TestingExamples.settled(pipeline, 64, 1));
      SnapshotWriter writer = writer("largest-delta: 100");
      Snapshot base = snapshot(written(writer, trainer));
      LoadedModel loaded = new LoadedModel(trainer.context(), base);
      trainer.process(TestingExamples.settled(pipeline, 64, 2));
      Snapshot delta = snapshot(written(writer, trainer));
      ByteBuffer cut = delta.payload().slice(0, delta.payload().capacity() / 2);
      assertThatThrownBy(() -> loaded.become(new Snapshot(delta.manifest(), cut)))
          .isInstanceOf(IOException.class);
      assertThat(loaded.manifest().version()).isEqualTo(base.manifest().version());
      loaded.release();
    }
  }

  private static SnapshotWriter writer(String publishing) {
    return new SnapshotWriter(
        TestingPipelines.shop("training:", "publishing: {" + publishing + "}\ntraining:"));
  }

  private static List<ModelRecord> written(SnapshotWriter writer, ModelTrainer trainer) {
    List<ModelRecord> records = new ArrayList<>();
    writer.write(trainer, new ModelVersion(7, trainer.steps()), Lineage.UNKNOWN, 0, records::add);
    return records;
  }

  @Test
  void refusesWhatIsNotWhole() {
    try (ModelTrainer trainer =
        new ModelTrainer(pipeline.context(pipeline.model("main")), pipeline.training())) {
      trainer.process(TestingExamples.settled(pipeline, 64, 1));
      List<ModelRecord> flipped = records(trainer);
      byte[] chunk = flipped.get(1).value().clone();
      chunk[chunk.length / 2] ^= 1;
      ModelRecord second = flipped.get(1);
      flipped.set(
          1,
          new ModelRecord(second.key(), chunk, second.version(), second.index(), second.count()));
      assertThatThrownBy(() -> snapshot(flipped))
          .isInstanceOf(BrokenSnapshotException.class)
          .hasMessageContaining("chunk 1");
      List<ModelRecord> missing = records(trainer);
      missing.remove(0);
      assertThatThrownBy(() -> snapshot(missing)).hasMessageContaining("chunk 0");
      List<ModelRecord> huge = records(trainer);
      ModelRecord manifest = huge.remove(huge.size() - 1);
      String claim = "\"bytes\":3000000000,\"sha256\":\"";
      byte[] json =
          new String(manifest.value(), StandardCharsets.UTF_8)
              .replaceAll("\"bytes\":\\d+,\"sha256\":\"(?=\\w+\",\"examples)", claim)
              .getBytes(StandardCharsets.UTF_8);
      huge.add(new ModelRecord(manifest.key(), json, manifest.version(), -1, manifest.count()));
      assertThatThrownBy(() -> snapshot(huge)).hasMessageContaining("3000000000 bytes; allowed");
    }
  }

  private List<ModelRecord> records(ModelTrainer trainer) {
    List<ModelRecord> records = new ArrayList<>();
    SnapshotWriter writer = writer("chunk: 1KB");
    writer.write(trainer, new ModelVersion(7, trainer.steps()), Lineage.UNKNOWN, 0, records::add);
    assertThat(records).hasSizeGreaterThan(3);
    return records;
  }

  private static Snapshot snapshot(List<ModelRecord> records) throws IOException {
    return snapshots(records).get(0);
  }

  /** A version as it was published: a delta, a base, or both. */
  private static List<Snapshot> snapshots(List<ModelRecord> records) throws IOException {
    SnapshotAssembler assembler = new SnapshotAssembler();
    List<Snapshot> whole = new ArrayList<>();
    for (ModelRecord record : records) {
      assembler.accept(record).ifPresent(whole::add);
    }
    return whole;
  }
}
