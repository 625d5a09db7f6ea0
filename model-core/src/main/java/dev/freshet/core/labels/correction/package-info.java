/**
 * The answers to delayed labels. {@link dev.freshet.core.labels.correction.DelayCorrections} is the
 * menu.
 */
package dev.freshet.core.labels.correction;
