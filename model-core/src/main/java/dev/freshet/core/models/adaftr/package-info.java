/** AdaFTR: contrast between adjacent tasks at a temperature of each example's own. */
package dev.freshet.core.models.adaftr;
