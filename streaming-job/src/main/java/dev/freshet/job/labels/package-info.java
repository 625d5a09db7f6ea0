/**
 * Stage 2. Takes events by impression; keeps them in keyed state and gives examples. Next:
 * features.
 */
@NullMarked
package dev.freshet.job.labels;

import org.jspecify.annotations.NullMarked;
