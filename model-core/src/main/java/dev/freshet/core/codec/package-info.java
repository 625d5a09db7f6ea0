/**
 * The pieces that byte layouts are made of. Each layout has one owner, which says what its bytes
 * are.
 */
@NullMarked
package dev.freshet.core.codec;

import org.jspecify.annotations.NullMarked;
