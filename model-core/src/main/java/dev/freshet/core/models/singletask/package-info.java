/** Single-task: one model for each task that shares nothing with the others. */
@NullMarked
package dev.freshet.core.models.singletask;

import org.jspecify.annotations.NullMarked;
