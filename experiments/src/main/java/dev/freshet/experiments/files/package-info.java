/** Text files as people have them. */
@NullMarked
package dev.freshet.experiments.files;

import org.jspecify.annotations.NullMarked;
