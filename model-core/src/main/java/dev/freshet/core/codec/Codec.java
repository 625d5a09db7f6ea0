package dev.freshet.core.codec;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.io.Serializable;

/**
 * The byte layout of one type, owned by one class. The first byte written is the layout's version;
 * {@link #read} accepts every version that {@link #layout} reads.
 */
public interface Codec<T> extends Serializable {

  /** The layout's name, by which state that holds it is found again, and its versions. */
  Layout layout();

  void write(T value, DataOutput out) throws IOException;

  /**
   * @throws IOException if the bytes are not of a version that this code reads
   */
  T read(DataInput in) throws IOException;
}
