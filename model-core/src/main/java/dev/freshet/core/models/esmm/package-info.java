/** ESMM: products of step probabilities, learnt over all impressions. */
package dev.freshet.core.models.esmm;
