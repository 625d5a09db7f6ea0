/** Embedding rows on the host, found by key, updated where a batch touched them. */
package dev.freshet.core.training.embedding;
