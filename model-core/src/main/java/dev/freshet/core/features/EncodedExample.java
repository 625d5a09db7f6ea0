package dev.freshet.core.features;

import dev.freshet.core.labels.TaskLabel;
import java.io.Serializable;

/**
 * What a model sees of a labelled example.
 *
 * @param id hash of the impression's id
 * @param eventTime of the impression, epoch milliseconds
 * @param holdout whether it is only scored, never learnt from
 * @param keys 64-bit keys of all fields, in the schema's order
 * @param starts for each field where its keys begin in {@code keys}; one more than fields
 * @param labels per task
 * @param served scores at serving time, per task, NaN for none; empty where nothing was served
 */
public record EncodedExample(
    long id,
    long eventTime,
    boolean holdout,
    long[] keys,
    int[] starts,
    TaskLabel[] labels,
    float[] served)
    implements Serializable {

  /** The same example with other labels. */
  public EncodedExample withLabels(TaskLabel[] other) {
    return new EncodedExample(id, eventTime, holdout, keys, starts, other, served);
  }
}
