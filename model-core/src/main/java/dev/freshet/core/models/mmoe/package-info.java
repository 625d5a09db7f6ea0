/** MMoE: shared experts, one gate per task. */
@NullMarked
package dev.freshet.core.models.mmoe;

import org.jspecify.annotations.NullMarked;
