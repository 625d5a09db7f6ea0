/** Ctrl-C and its kind. */
@NullMarked
package dev.freshet.local.signals;

import org.jspecify.annotations.NullMarked;
