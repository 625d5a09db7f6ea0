/**
 * Events that do not lie in messages as {@link dev.freshet.core.events.EventReader} reads them: the
 * pipeline file says where the pieces are, a mapping puts them where they are looked for.
 */
@NullMarked
package dev.freshet.core.events.mapping;

import org.jspecify.annotations.NullMarked;
