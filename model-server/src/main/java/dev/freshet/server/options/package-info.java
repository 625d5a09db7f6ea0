/**
 * Common options of commands: how files, pipelines and durations are read, and faults are reported.
 */
package dev.freshet.server.options;
