/** The log of what was learnt, and a version learnt again from it. */
package dev.freshet.training.reproduction;
