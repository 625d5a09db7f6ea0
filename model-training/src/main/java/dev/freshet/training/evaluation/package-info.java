/** Quality of predictions against final labels. */
@NullMarked
package dev.freshet.training.evaluation;

import org.jspecify.annotations.NullMarked;
