/** What {@code freshet device} finds out about GPUs. */
package dev.freshet.local.device;
