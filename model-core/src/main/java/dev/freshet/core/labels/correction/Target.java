package dev.freshet.core.labels.correction;

/**
 * Label and weight that a record teaches: for a binary task its loss is {@code weight (-label log p
 * - (1 - label) log(1 - p))}, for an amount {@code weight} times the loss of the amount.
 *
 * @param label 0 to 1, between them where a correction splits a record into a positive and a
 *     negative; or the amount
 * @param weight importance weight, before it is bounded
 */
public record Target(double label, double weight) {}
