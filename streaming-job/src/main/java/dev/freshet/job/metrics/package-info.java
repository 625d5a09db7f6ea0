/** Metrics of the job: the menu of all its metrics, and the one way to register one. */
package dev.freshet.job.metrics;
