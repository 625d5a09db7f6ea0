/** AITM: information passed along the chain by attention. */
@NullMarked
package dev.freshet.core.models.aitm;

import org.jspecify.annotations.NullMarked;
