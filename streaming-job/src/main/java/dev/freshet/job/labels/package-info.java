/**
 * Stage 2. Takes events by impression; keeps them in keyed state and gives examples. Next:
 * features.
 */
package dev.freshet.job.labels;
