/** Single-task: one model for each task that shares nothing with the others. */
package dev.freshet.core.models.singletask;
