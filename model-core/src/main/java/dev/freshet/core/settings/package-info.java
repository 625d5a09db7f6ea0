/**
 * Reads records from YAML with every problem at once. Takes a tree of values and the records that
 * describe it; gives settings that are known to be valid.
 */
@NullMarked
package dev.freshet.core.settings;

import org.jspecify.annotations.NullMarked;
