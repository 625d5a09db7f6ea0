/** Quality of predictions against final labels. */
package dev.freshet.training.evaluation;
