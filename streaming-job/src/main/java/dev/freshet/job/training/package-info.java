/**
 * Stage 4. Takes encoded examples; trains one model in one task and emits its versions. Next:
 * publishing.
 */
@NullMarked
package dev.freshet.job.training;

import org.jspecify.annotations.NullMarked;
