/** HTLNet, with all its switches. */
package dev.freshet.core.models.htlnet;
