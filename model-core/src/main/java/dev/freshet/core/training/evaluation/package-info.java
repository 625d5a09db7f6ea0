/** Quality of predictions against settled labels. */
package dev.freshet.core.training.evaluation;
