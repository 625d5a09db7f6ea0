/** What is drawn again and again in one place of a terminal. */
@NullMarked
package dev.freshet.local.screen;

import org.jspecify.annotations.NullMarked;
