/**
 * What options of commands have in common: how files, pipelines and durations are read, and what is
 * wrong is told.
 */
package dev.freshet.server.options;
