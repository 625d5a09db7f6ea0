package dev.freshet.core.events;

/**
 * An impression's features as they were sent, projected to the fields the pipeline knows.
 *
 * @param categories per categorical field of {@link ImpressionFields} its values; empty for none
 * @param numbers per numeric field its value; NaN for none
 * @param weights per categorical field its values' weights, all above 0, or none where these count
 *     alike; then per vector of {@link ImpressionFields} its numbers, or none; no arrays where
 *     there are neither weights nor vectors
 */
public record RawFeatures(String[][] categories, double[] numbers, float[][] weights)
    implements Features {

  private static final float[][] NO_WEIGHTS = {};

  /** Of values that count alike. */
  public RawFeatures(String[][] categories, double[] numbers) {
    this(categories, numbers, NO_WEIGHTS);
  }

  /** Weight of a value of a categorical field; 1 where values count alike. */
  public float weight(int field, int value) {
    return field < weights.length && value < weights[field].length ? weights[field][value] : 1;
  }
}
