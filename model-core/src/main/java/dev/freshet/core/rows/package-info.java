/** Embedding rows on the host, found by key, and those that a batch needs. */
@NullMarked
package dev.freshet.core.rows;

import org.jspecify.annotations.NullMarked;
