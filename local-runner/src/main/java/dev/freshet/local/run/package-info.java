/**
 * The whole loop in one process, fed by the simulator or by files, and watched through its topics.
 */
@NullMarked
package dev.freshet.local.run;

import org.jspecify.annotations.NullMarked;
