/**
 * Stage 4. Takes encoded examples; trains one model in one task and emits its versions. Next:
 * publishing.
 */
package dev.freshet.job.training;
