package dev.freshet.core.events;

import java.io.Serializable;

/**
 * Predictions that were served when the impression was shown.
 *
 * @param model name of the model that scored it
 * @param version its version
 * @param scores per task of the pipeline the score: a probability, or the value of the continuous
 *     task; NaN for none
 */
public record Served(String model, String version, double[] scores) implements Serializable {}
