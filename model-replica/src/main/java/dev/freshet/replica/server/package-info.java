/**
 * Predictions over HTTP: {@link dev.freshet.replica.server.ScoringServer} puts a {@link
 * dev.freshet.replica.ModelReplica} behind JSON.
 */
package dev.freshet.replica.server;
