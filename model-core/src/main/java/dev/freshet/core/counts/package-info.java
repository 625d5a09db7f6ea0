/**
 * Between stages 1 and 2. Takes events; gives impressions the counts of what happened before them,
 * with which they then wait for their labels.
 */
@NullMarked
package dev.freshet.core.counts;

import org.jspecify.annotations.NullMarked;
