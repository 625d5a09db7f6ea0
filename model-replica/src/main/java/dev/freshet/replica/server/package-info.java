/**
 * Predictions over HTTP: {@link dev.freshet.replica.server.ScoringServer} puts a {@link
 * dev.freshet.replica.ModelReplica} behind JSON.
 */
@NullMarked
package dev.freshet.replica.server;

import org.jspecify.annotations.NullMarked;
