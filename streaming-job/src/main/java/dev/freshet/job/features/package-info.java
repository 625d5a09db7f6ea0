/** Stage 3. Takes labelled examples; gives encoded ones, in parallel. Next: training. */
@NullMarked
package dev.freshet.job.features;

import org.jspecify.annotations.NullMarked;
