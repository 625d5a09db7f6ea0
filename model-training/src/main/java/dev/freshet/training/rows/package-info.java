/** Embedding rows that learn: admitted, updated where a batch touched them, dropped with time. */
@NullMarked
package dev.freshet.training.rows;

import org.jspecify.annotations.NullMarked;
