/** Checks of {@code freshet device} on GPUs. */
package dev.freshet.local.device;
