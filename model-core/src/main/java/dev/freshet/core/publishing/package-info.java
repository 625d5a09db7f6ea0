/**
 * Stage 5. Takes a trainer between two steps; gives the messages of a version, and puts them
 * together again. Next: the replica.
 */
package dev.freshet.core.publishing;
