/** TAFE: features reconstructed per sample and selected per task, under the chain constraint. */
package dev.freshet.core.models.tafe;
