/** Embedding rows on the host, found by key, and those that a batch needs. */
package dev.freshet.core.rows;
