/**
 * Stage 3. Takes raw features; gives 64-bit keys, the same in trainer and replica. Next: models and
 * training.
 */
@NullMarked
package dev.freshet.core.features;

import org.jspecify.annotations.NullMarked;
