/** A shop whose truth is known. */
package dev.freshet.experiments.simulator;
