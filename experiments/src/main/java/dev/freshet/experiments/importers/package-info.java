/** Public data sets as events. {@link dev.freshet.experiments.importers.Importers} is the menu. */
package dev.freshet.experiments.importers;
