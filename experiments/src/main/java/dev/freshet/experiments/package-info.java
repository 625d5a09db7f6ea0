/**
 * Several models on the same examples, over several seeds, in one process: no Kafka, no Flink, the
 * same join, encoder and trainer.
 */
package dev.freshet.experiments;
