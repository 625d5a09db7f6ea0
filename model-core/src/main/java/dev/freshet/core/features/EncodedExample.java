package dev.freshet.core.features;

import dev.freshet.core.codec.Texts;
import dev.freshet.core.labels.TaskLabel;
import java.io.Serializable;
import java.util.HexFormat;

/**
 * A labelled example as a model sees it. Where numbers are read by what a model has learnt their
 * bits stand in the place of keys, until {@link ExampleCompleter} has made these.
 *
 * @param id hash of the impression's id
 * @param impression the impression's id; where nobody knows it, the hash in hexadecimal
 * @param eventTime of the impression, epoch milliseconds
 * @param holdout true if it is only scored, never learnt from
 * @param keys 64-bit keys of all fields, in the schema's order
 * @param starts for each field where its keys begin in {@code keys}; one more than fields
 * @param weights for each key what its row is multiplied by in its field's sum; empty where every
 *     field is the mean of its keys' rows
 * @param labels per task
 * @param served scores at serving time, per task, NaN for none; empty where nothing was served
 */
public record EncodedExample(
    long id,
    String impression,
    long eventTime,
    boolean holdout,
    long[] keys,
    int[] starts,
    float[] weights,
    TaskLabel[] labels,
    float[] served)
    implements Serializable {

  private static final int LONGEST_NAME = 64;
  static final float[] NO_WEIGHTS = {};

  /** Of fields that are the means of their keys' rows. */
  public EncodedExample(
      long id,
      String impression,
      long eventTime,
      boolean holdout,
      long[] keys,
      int[] starts,
      TaskLabel[] labels,
      float[] served) {
    this(id, impression, eventTime, holdout, keys, starts, NO_WEIGHTS, labels, served);
  }

  /** Of an impression that is known by the hash of its id alone. */
  public EncodedExample(
      long id,
      long eventTime,
      boolean holdout,
      long[] keys,
      int[] starts,
      TaskLabel[] labels,
      float[] served) {
    this(id, HexFormat.of().toHexDigits(id), eventTime, holdout, keys, starts, labels, served);
  }

  /** Its name in messages: the impression's id in one line, its first 64 characters. */
  public String name() {
    return Texts.line(impression, LONGEST_NAME);
  }

  /** The same example with other keys. */
  EncodedExample withKeys(long[] others, int[] otherStarts, float[] otherWeights) {
    return new EncodedExample(
        id, impression, eventTime, holdout, others, otherStarts, otherWeights, labels, served);
  }

  /** The same example with other labels. */
  public EncodedExample withLabels(TaskLabel[] other) {
    return new EncodedExample(
        id, impression, eventTime, holdout, keys, starts, weights, other, served);
  }
}
