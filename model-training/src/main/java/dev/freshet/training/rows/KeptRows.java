package dev.freshet.training.rows;

import java.util.Arrays;

/**
 * The values that rows of a table had at one moment: each is copied just before its first change
 * after it, so what this costs is what changed.
 */
final class KeptRows {

  private static final int IN_BLOCK = 1024;

  private final int dim;

  /** Per row of the table 1 + its place here; 0 for none. */
  private int[] places = {};

  private int[] rows = new int[IN_BLOCK];
  private float[][] blocks = {};
  private int count;

  KeptRows(int dim) {
    this.dim = dim;
  }

  /** A row is about to change. */
  void save(int row, float[] values, int at) {
    if (row >= places.length) {
      places = Arrays.copyOf(places, Math.max(row + 1, 2 * places.length));
    }
    if (places[row] == 0) {
      if (count == rows.length) {
        rows = Arrays.copyOf(rows, 2 * count);
      }
      if (count / IN_BLOCK == blocks.length) {
        blocks = Arrays.copyOf(blocks, blocks.length + 1);
        blocks[blocks.length - 1] = new float[IN_BLOCK * dim];
      }
      rows[count++] = row;
      places[row] = count;
      copy(values, at, count - 1);
    }
  }

  /** A row has been taken by a new key, which had none at the moment that is kept. */
  void started(int row, float[] values, int at) {
    if (row < places.length && places[row] > 0) {
      copy(values, at, places[row] - 1);
    } else {
      save(row, values, at);
    }
  }

  private void copy(float[] values, int at, int place) {
    System.arraycopy(values, at, blocks[place / IN_BLOCK], place % IN_BLOCK * dim, dim);
  }

  int count() {
    return count;
  }

  int row(int place) {
    return rows[place];
  }

  /** Puts the kept values of a place where {@code values} are, and these in their place. */
  void swap(int place, float[] values, int at) {
    float[] block = blocks[place / IN_BLOCK];
    int start = place % IN_BLOCK * dim;
    for (int i = 0; i < dim; i++) {
      float kept = block[start + i];
      block[start + i] = values[at + i];
      values[at + i] = kept;
    }
  }
}
