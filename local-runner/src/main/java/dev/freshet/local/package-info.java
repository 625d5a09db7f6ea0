/** The command line and the embedded default. Read {@link dev.freshet.local.Freshet} first. */
@NullMarked
package dev.freshet.local;

import org.jspecify.annotations.NullMarked;
