package dev.freshet.core.rows;

import java.io.IOException;

/** Embedding rows of one size that can be listed. */
public interface EmbeddingRows {

  /** Visitor of {@link #eachRow}. */
  interface Visitor {
    /**
     * @param at where the row starts in {@code values}
     */
    void row(long key, float[] values, int at) throws IOException;
  }

  /** Size of an embedding. */
  int dim();

  /** Floats of a row, the embedding and the first-order weights behind it. */
  int width();

  /** Rows in use, those for unknown values included. */
  int size();

  /** Visits every row in use, in order of its number. */
  void eachRow(Visitor visitor) throws IOException;
}
