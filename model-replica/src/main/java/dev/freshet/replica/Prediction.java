package dev.freshet.replica;

import java.util.Map;

/**
 * Scores of one impression.
 *
 * @param version of the weights that made them
 * @param scores per task: a probability, or the continuous task's value in its own unit
 */
public record Prediction(String version, Map<String, Double> scores) {}
