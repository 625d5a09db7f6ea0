/** A scoring server as a program of its own, and the command that starts it; no Flink. */
@NullMarked
package dev.freshet.server;

import org.jspecify.annotations.NullMarked;
