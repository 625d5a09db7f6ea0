/**
 * The answers to delayed labels. {@link dev.freshet.core.labels.correction.DelayCorrections} is the
 * menu.
 */
@NullMarked
package dev.freshet.core.labels.correction;

import org.jspecify.annotations.NullMarked;
