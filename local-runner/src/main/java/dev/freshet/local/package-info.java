/** The command line and the embedded default. Read {@link dev.freshet.local.Freshet} first. */
package dev.freshet.local;
