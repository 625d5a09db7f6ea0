/** Checks of {@code freshet device} on GPUs. */
@NullMarked
package dev.freshet.local.device;

import org.jspecify.annotations.NullMarked;
