/** ESMM: products of step probabilities, learnt over all impressions. */
@NullMarked
package dev.freshet.core.models.esmm;

import org.jspecify.annotations.NullMarked;
