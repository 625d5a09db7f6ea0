/**
 * Common options of commands: how files, pipelines and durations are read, and faults are reported.
 */
@NullMarked
package dev.freshet.server.options;

import org.jspecify.annotations.NullMarked;
