/**
 * What options of commands have in common: how files, pipelines and durations are read, and what is
 * wrong is told.
 */
@NullMarked
package dev.freshet.server.options;

import org.jspecify.annotations.NullMarked;
