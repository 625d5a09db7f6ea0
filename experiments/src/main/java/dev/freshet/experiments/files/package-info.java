/** Text files as people have them. */
package dev.freshet.experiments.files;
