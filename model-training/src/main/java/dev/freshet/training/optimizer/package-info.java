/** How embedding rows learn: one file for each optimiser. */
package dev.freshet.training.optimizer;
