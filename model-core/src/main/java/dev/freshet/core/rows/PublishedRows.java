package dev.freshet.core.rows;

import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;

/**
 * Takes the published embedding rows of one size: keys, and a row for each of them, one after the
 * other. Both methods only prepare; what they return makes the change.
 */
public interface PublishedRows {

  int dim();

  /** Floats of a row, the embedding and the first-order weights behind it. */
  int width();

  /** All rows there are. */
  Runnable base(LongBuffer keys, FloatBuffer values) throws IOException;

  /**
   * Rows that changed.
   *
   * @param dropped keys whose rows go; one that is among {@code keys} too has a new row
   */
  Runnable delta(LongBuffer dropped, LongBuffer keys, FloatBuffer values) throws IOException;
}
