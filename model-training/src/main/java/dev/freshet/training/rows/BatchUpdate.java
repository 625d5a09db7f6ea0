package dev.freshet.training.rows;

import dev.freshet.core.rows.BatchRows;
import dev.freshet.core.rows.Workers;
import java.nio.FloatBuffer;

/** One step on each row of a batch. Keeps its memory from batch to batch. */
public final class BatchUpdate {

  private final Workers workers;
  private float[] gradients = {};
  private boolean[] moved = {};

  /**
   * @param workers share the rows
   */
  public BatchUpdate(Workers workers) {
    this.workers = workers;
  }

  /**
   * As {@link EmbeddingTable#update}, of all rows of a batch.
   *
   * @param gradient of the mean loss over the batch, row by row
   */
  public void run(
      EmbeddingTable table, BatchRows batch, FloatBuffer gradient, float examples, float... pace) {
    int count = batch.count();
    int width = table.width();
    if (gradients.length < count * width) {
      gradients = new float[Math.max(count * width, 2 * gradients.length)];
    }
    // In one go: read one by one, floats outside the heap have their bounds checked each time.
    gradient.get(gradients, 0, count * width);
    int parts = workers.parts(count, BatchRows.LEAST);
    if (parts == 1) {
      for (int i = 0; i < count; i++) {
        table.update(batch.row(i), gradients, i * width, examples, pace);
      }
      return;
    }
    if (moved.length < count) {
      moved = new boolean[Math.max(count, 2 * moved.length)];
    }
    for (int i = 0; i < count; i++) {
      table.changing(batch.row(i));
    }
    workers.share(
        count,
        parts,
        (part, from, to) -> {
          for (int i = from; i < to; i++) {
            moved[i] = table.step(batch.row(i), gradients, i * width, examples, pace);
          }
        });
    for (int i = 0; i < count; i++) {
      if (moved[i]) {
        table.touch(batch.row(i));
      }
    }
  }
}
