/** Shared-Bottom, the floor that other models are measured against. */
@NullMarked
package dev.freshet.core.models.sharedbottom;

import org.jspecify.annotations.NullMarked;
