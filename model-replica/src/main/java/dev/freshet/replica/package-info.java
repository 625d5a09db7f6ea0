/**
 * Consumption. Takes the model topic; gives predictions by the newest version that arrived whole.
 * Read {@link dev.freshet.replica.ModelReplica} first.
 */
@NullMarked
package dev.freshet.replica;

import org.jspecify.annotations.NullMarked;
