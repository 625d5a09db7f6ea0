/**
 * Consumption. Takes the model topic; gives predictions by the newest version that arrived whole.
 * Read {@link dev.freshet.replica.ModelReplica} first.
 */
package dev.freshet.replica;
