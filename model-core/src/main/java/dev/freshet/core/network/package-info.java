/** A model with weights, which predicts; and what turns its outputs into what is served. */
package dev.freshet.core.network;
