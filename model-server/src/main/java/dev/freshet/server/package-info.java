/** A scoring server as a program of its own, and the command that starts it; no Flink. */
package dev.freshet.server;
