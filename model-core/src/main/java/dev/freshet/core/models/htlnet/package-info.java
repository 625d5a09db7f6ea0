/** HTLNet, with all its switches. */
@NullMarked
package dev.freshet.core.models.htlnet;

import org.jspecify.annotations.NullMarked;
