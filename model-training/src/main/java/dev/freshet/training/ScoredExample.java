package dev.freshet.training;

import dev.freshet.core.features.EncodedExample;
import org.jspecify.annotations.Nullable;

/**
 * An example of the batch that was processed last, with the predictions for it, per task, as they
 * would have been served; not finite where nothing could be said.
 *
 * @param now made just before the batch was learnt; null of an example that was only scored
 * @param first made before anything of its impression was learnt: what its labels are scored
 *     against
 * @param step after which {@code first} was made
 */
public record ScoredExample(
    EncodedExample example, double @Nullable [] now, double[] first, long step) {}
