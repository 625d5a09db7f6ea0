/** Files of events. */
package dev.freshet.local.replay;
