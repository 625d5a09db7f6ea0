/** A model with weights, which predicts; and what turns its outputs into what is served. */
@NullMarked
package dev.freshet.core.network;

import org.jspecify.annotations.NullMarked;
