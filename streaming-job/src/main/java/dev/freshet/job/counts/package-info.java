/**
 * Between stages 1 and 2. Takes events; gives impressions the counts of what happened before them.
 * Next: labels.
 */
@NullMarked
package dev.freshet.job.counts;

import org.jspecify.annotations.NullMarked;
