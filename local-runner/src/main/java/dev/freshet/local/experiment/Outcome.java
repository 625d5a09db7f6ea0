package dev.freshet.local.experiment;

import java.util.Map;

/**
 * What one model came to with one seed.
 *
 * @param metrics by {@code task.metric}
 * @param seconds that learning took
 */
record Outcome(String model, long seed, Map<String, Double> metrics, double seconds) {}
