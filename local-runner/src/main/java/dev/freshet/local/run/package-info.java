/**
 * The whole loop in one process, fed by the simulator or by files, and watched through its topics.
 */
package dev.freshet.local.run;
