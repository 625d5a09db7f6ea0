package dev.freshet.core.events;

/**
 * An impression's features as they were sent, projected to the fields the pipeline knows.
 *
 * @param categories per categorical field of {@link ImpressionFields} its values; empty for none
 * @param numbers per numeric field its value; NaN for none
 */
public record RawFeatures(String[][] categories, double[] numbers) implements Features {}
