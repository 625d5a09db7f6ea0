/** One pipeline file, read and checked whole. */
@NullMarked
package dev.freshet.core.pipeline;

import org.jspecify.annotations.NullMarked;
