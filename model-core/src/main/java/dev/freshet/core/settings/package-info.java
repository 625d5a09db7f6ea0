/**
 * Reads records from YAML with every problem at once. Takes a tree of values and the records that
 * describe it; gives settings that are known to be valid.
 */
@NullUnmarked // not yet; RecordBinder is to be split first
package dev.freshet.core.settings;

import org.jspecify.annotations.NullUnmarked;
