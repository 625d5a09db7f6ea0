/** Public data sets as events. {@link dev.freshet.experiments.importers.Importers} is the menu. */
@NullMarked
package dev.freshet.experiments.importers;

import org.jspecify.annotations.NullMarked;
