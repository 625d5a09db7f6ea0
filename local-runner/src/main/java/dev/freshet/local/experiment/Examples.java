package dev.freshet.local.experiment;

import dev.freshet.core.features.EncodedExample;
import java.util.List;

/**
 * An experiment's examples.
 *
 * @param groups for each example the group whose figures are also told apart; empty for none
 */
public record Examples(List<EncodedExample> all, int[] groups) {}
