/** Ctrl-C and its kind. */
package dev.freshet.local.signals;
