package dev.freshet.training.rows;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.features.FeatureSchema;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.network.ModelContext;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.core.rows.BatchRows;
import dev.freshet.core.rows.Workers;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Workers that share the rows of a batch leave the table as one thread does, bit for bit. */
class SharedRowsTest {

  private static final long DAY = 24 * 60 * 60 * 1000L;

  private final Pipeline pipeline =
      TestingPipelines.shop(
          "{name: user, kind: categorical, dim: 8, admit-after: 1}",
          "{name: user, kind: categorical, dim: 8, admit-after: 2, expire-after: 10d}");
  private final ModelContext context = pipeline.context(pipeline.model("main"));
  private final Workers workers = new Workers(3, "test");

  @AfterEach
  void close() {
    workers.close();
  }

  @Test
  void tablesOfOneAndOfSeveralAreTheSame() throws IOException {
    EmbeddingTable alone = table();
    EmbeddingTable shared = table();
    alone.unsaved.ask();
    shared.unsaved.ask();
    learn(alone, Workers.NONE);
    learn(shared, workers);
    assertThat(bytes(shared)).isEqualTo(bytes(alone));
    assertThat(shared.unsaved.rows().sorted()).isEqualTo(alone.unsaved.rows().sorted());
    List<Long> changed = new ArrayList<>();
    alone.eachTouched((key, values, at) -> changed.add(key));
    List<Long> changedByThree = new ArrayList<>();
    shared.eachTouched((key, values, at) -> changedByThree.add(key));
    assertThat(changedByThree).hasSizeGreaterThan(2000).isEqualTo(changed);
    alone.swapKept();
    shared.swapKept();
    assertThat(bytes(shared)).as("the rows as they were kept").isEqualTo(bytes(alone));
  }

  private EmbeddingTable table() {
    return EmbeddingTable.of(context, pipeline.training().embeddings()).get(1);
  }

  /** Batches of some three thousand rows, of which half are dropped in between. */
  private void learn(EmbeddingTable table, Workers by) {
    FeatureSchema.Group group = context.schema().groups().get(1);
    BatchRows batch = new BatchRows(group, table, by);
    BatchUpdate update = new BatchUpdate(by);
    SplittableRandom random = new SplittableRandom(7);
    for (int day = 0; day < 12; day += 2) {
      batch.gather(examples(random, day * DAY), example -> example.id() % 5 != 0);
      FloatBuffer gradient = FloatBuffer.allocate(batch.count() * table.width());
      while (gradient.hasRemaining()) {
        gradient.put(random.nextInt(4) == 0 ? 0 : (float) random.nextDouble(-1, 1));
      }
      update.run(table, batch, gradient.flip(), 3, 1, 1);
      if (day == 4) {
        table.keep();
      }
      table.expire((day + 6) * DAY);
    }
  }

  private List<EncodedExample> examples(SplittableRandom random, long time) {
    int fields = context.schema().fields().size();
    List<EncodedExample> examples = new ArrayList<>();
    for (int i = 0; i < 6000; i++) {
      long[] keys = new long[fields];
      int[] starts = new int[fields + 1];
      for (int field = 0; field < fields; field++) {
        keys[field] = 1 + random.nextLong(5000) * 1_000_003L;
        starts[field + 1] = field + 1;
      }
      examples.add(
          new EncodedExample(
              i, time + random.nextInt(1000), false, keys, starts, new TaskLabel[0], new float[0]));
    }
    return examples;
  }

  private static byte[] bytes(EmbeddingTable table) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    table.write(new DataOutputStream(out));
    return out.toByteArray();
  }
}
