/** Quality of predictions against settled labels. */
package dev.freshet.training.evaluation;
