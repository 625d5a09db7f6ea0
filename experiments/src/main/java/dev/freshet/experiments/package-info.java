/**
 * Several models on the same examples, over several seeds, in one process: no Kafka, no Flink, the
 * same join, encoder and trainer.
 */
@NullMarked
package dev.freshet.experiments;

import org.jspecify.annotations.NullMarked;
