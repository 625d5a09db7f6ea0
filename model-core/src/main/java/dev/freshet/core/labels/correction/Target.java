package dev.freshet.core.labels.correction;

/**
 * What a record of a binary task teaches: its loss is {@code weight (-label log p - (1 - label)
 * log(1 - p))}.
 *
 * @param label 0 to 1; between them where a correction splits a record into a yes and a no
 * @param weight importance weight, before it is bounded
 */
public record Target(double label, double weight) {}
