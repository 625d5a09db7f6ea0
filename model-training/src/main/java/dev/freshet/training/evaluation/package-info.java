/** Quality of predictions against settled labels. */
@NullMarked
package dev.freshet.training.evaluation;

import org.jspecify.annotations.NullMarked;
