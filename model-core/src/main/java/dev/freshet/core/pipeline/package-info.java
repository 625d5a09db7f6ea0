/** One pipeline file, read and checked whole. */
package dev.freshet.core.pipeline;
