/** Embedding rows that learn: admitted, updated where a batch touched them, dropped with time. */
package dev.freshet.training.rows;
