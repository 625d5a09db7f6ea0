package dev.freshet.training.reproduction;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.features.TestingExamples;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.core.settings.ByteSize;
import dev.freshet.core.snapshot.Manifest;
import dev.freshet.core.snapshot.ModelRecord;
import dev.freshet.core.snapshot.ModelVersion;
import dev.freshet.training.ModelTrainer;
import dev.freshet.training.TrainerSnapshot;
import dev.freshet.training.publishing.Lineage;
import dev.freshet.training.publishing.SnapshotWriter;
import dev.freshet.training.reproduction.Reproduction.Result;
import dev.freshet.training.reproduction.TrainingLog.Entry;
import dev.freshet.training.reproduction.TrainingLog.Mark;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ReproductionTest {

  private static final int BATCH = 64;

  private final Pipeline pipeline =
      TestingPipelines.shop(
          "models:",
          "  - {name: seen, kind: categorical, many: true, rows-of: item, pooling: attention, target: item}\n"
              + "  - {name: topics, kind: categorical, many: true, weighted: true, admit-after: 1}\n"
              + "  - {name: cost, kind: numeric}\n"
              + "  - {name: age, kind: numeric, as: value, scale: log, clip: [-2, 2]}\n"
              + "  - {name: image, kind: vector, size: 3}\n"
              + "publishing: {base-every: 4, largest-delta: 100, dense-every: 2}\n"
              + "crosses: pairs\nmodels:");
  private final TrainingLog log = new TrainingLog("plain", new ByteSize(4096));
  private final List<ModelRecord> records = new ArrayList<>();
  private final List<Manifest> published = new ArrayList<>();
  private ModelTrainer trainer = trainer();
  private SnapshotWriter writer = new SnapshotWriter(pipeline);
  private long run = 1;
  private int taught;

  @AfterEach
  void close() {
    trainer.close();
  }

  private ModelTrainer trainer() {
    return new ModelTrainer(pipeline.context(pipeline.model("plain")), pipeline.training());
  }

  private void teach(int batches) {
    for (int i = 0; i < batches; i++) {
      List<EncodedExample> batch = TestingExamples.settled(pipeline, BATCH, taught++);
      log.batch(run, trainer.examples(), batch, records::add);
      trainer.process(batch);
    }
  }

  private void publish() {
    Lineage lineage = new Lineage(List.of(), 1_000L * taught);
    Manifest manifest =
        writer.write(
            trainer, new ModelVersion(run, trainer.steps()), lineage, 5L * taught, record -> {});
    published.add(manifest);
    if (!manifest.isDelta()) {
      log.state(run, trainer, records::add);
    }
  }

  private byte[] checkpoint() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    TrainerSnapshot.write(trainer, TrainerSnapshot.Surroundings.none(run), out);
    return out.toByteArray();
  }

  private void restart(byte[] checkpoint) throws IOException {
    trainer.close();
    trainer = trainer();
    TrainerSnapshot.read(trainer, new ByteArrayInputStream(checkpoint));
    writer = new SnapshotWriter(pipeline);
    run++;
  }

  /** Bases at 0, 4 and 6 (a new run), deltas between them; one checkpoint is gone back to. */
  private void history() throws IOException {
    for (int i = 0; i < 5; i++) {
      teach(2);
      publish();
    }
    teach(1);
    byte[] checkpoint = checkpoint();
    teach(3);
    publish();
    restart(checkpoint);
    teach(2);
    publish();
    teach(2);
    publish();
  }

  private List<Result> reproduce(List<Manifest> chain, List<ModelRecord> from) throws IOException {
    List<Result> results = new ArrayList<>();
    try (ModelTrainer fresh = trainer()) {
      Reproduction again =
          new Reproduction(chain, fresh, new SnapshotWriter(pipeline), results::add);
      from.forEach(record -> Mark.startingAt(record).ifPresent(again::seen));
      if (again.plan().isEmpty()) {
        return List.of();
      }
      TrainingLog.Reader reader = new TrainingLog.Reader();
      for (ModelRecord record : from) {
        var entry = reader.accept(record);
        if (entry.isPresent()) {
          again.learn(entry.get());
        }
      }
      assertThat(again.done()).isTrue();
    }
    return results;
  }

  private List<Manifest> chain(int version) {
    int base = version;
    while (published.get(base).isDelta()) {
      base--;
    }
    return published.subList(base, version + 1);
  }

  @Test
  void everyVersionIsMadeAgainToTheByte() throws IOException {
    history();
    assertThat(published)
        .extracting(Manifest::isDelta)
        .containsExactly(false, true, true, true, false, true, false, true);
    for (int version = 0; version < published.size(); version++) {
      List<Result> results = reproduce(chain(version), records);
      assertThat(results).hasSameSizeAs(chain(version));
      for (Result result : results) {
        assertThat(result.made().sha256()).isEqualTo(result.published().sha256());
        assertThat(result.differences()).isEmpty();
      }
    }
  }

  @Test
  void anotherHistoryGivesOtherBytes() throws IOException {
    history();
    List<ModelRecord> changed = new ArrayList<>();
    TrainingLog.Reader reader = new TrainingLog.Reader();
    for (ModelRecord record : records) {
      Entry entry = reader.accept(record).orElse(null);
      if (entry != null && entry.mark().equals(new Mark(TrainingLog.Kind.BATCH, 1, 0))) {
        List<EncodedExample> batch = new ArrayList<>(entry.batch());
        batch.set(0, batch.get(1));
        log.batch(1, 0, batch, changed::add);
      } else if (!record.version().equals("1-0")) {
        changed.add(record);
      }
    }
    assertThat(reproduce(chain(0), changed).get(0).differences()).contains("sha256");
  }

  @Test
  void whatTheLogNoLongerHoldsIsSaid() throws IOException {
    history();
    int state = 0;
    while (!records.get(state).key().endsWith("/state")) {
      state++;
    }
    List<ModelRecord> trimmed = records.subList(state + 1, records.size());
    assertThat(reproduce(chain(1), trimmed)).as("its base's state is cut").isEmpty();
    assertThat(reproduce(chain(5), trimmed)).as("a later base is there").hasSize(2);
    List<ModelRecord> gap = new ArrayList<>(records);
    gap.removeIf(record -> record.version().equals("1-" + 10 * BATCH));
    assertThatThrownBy(() -> reproduce(chain(5), gap))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("the log goes on at example");
  }

  @Test
  void entriesAreCutAndPutTogetherAgain() throws IOException {
    List<EncodedExample> batch = TestingExamples.settled(pipeline, 300, 1);
    log.batch(7, 0, batch, records::add);
    assertThat(records).hasSizeGreaterThan(2);
    TrainingLog.Reader reader = new TrainingLog.Reader();
    List<Entry> entries = new ArrayList<>();
    for (ModelRecord record : records) {
      assertThat(record.value().length).isLessThanOrEqualTo(4096);
      reader.accept(record).ifPresent(entries::add);
    }
    assertThat(entries).hasSize(1);
    assertThat(entries.get(0).mark()).isEqualTo(new Mark(TrainingLog.Kind.BATCH, 7, 0));
    assertThat(entries.get(0).batch()).usingRecursiveComparison().isEqualTo(batch);
    TrainingLog.Reader late = new TrainingLog.Reader();
    for (ModelRecord record : records.subList(1, records.size())) {
      assertThat(late.accept(record)).as("its beginning is gone").isEmpty();
    }
  }
}
