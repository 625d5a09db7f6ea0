/** How embedding rows learn: one file for each optimiser. */
@NullMarked
package dev.freshet.training.optimizer;

import org.jspecify.annotations.NullMarked;
