/** AdaFTR: contrast between adjacent tasks at a temperature of each example's own. */
@NullMarked
package dev.freshet.core.models.adaftr;

import org.jspecify.annotations.NullMarked;
