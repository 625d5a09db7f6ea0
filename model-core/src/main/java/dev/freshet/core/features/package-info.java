/**
 * Stage 3. Takes raw features; gives 64-bit keys, the same in trainer and replica. Next: models and
 * training.
 */
@NullUnmarked // not yet; FeatureField is to be split first
package dev.freshet.core.features;

import org.jspecify.annotations.NullUnmarked;
