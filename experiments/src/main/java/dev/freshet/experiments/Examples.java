package dev.freshet.experiments;

import dev.freshet.core.events.Features;
import dev.freshet.core.features.EncodedExample;
import java.util.List;

/**
 * An experiment's examples.
 *
 * @param groups for each example the group whose figures are also told apart; empty for none
 * @param features for each example its impression's features as they came; empty unless asked for
 * @param leftOut the events that are not among them, in words
 */
public record Examples(
    List<EncodedExample> all, int[] groups, List<Features> features, List<String> leftOut) {}
