/** TAFE: features reconstructed per sample and selected per task, under the chain constraint. */
@NullMarked
package dev.freshet.core.models.tafe;

import org.jspecify.annotations.NullMarked;
