/** Stage 3. Takes labelled examples; gives encoded ones, in parallel. Next: training. */
package dev.freshet.job.features;
