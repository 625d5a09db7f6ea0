/** Public data sets as events. {@link dev.freshet.local.importers.Importers} is the menu. */
package dev.freshet.local.importers;
