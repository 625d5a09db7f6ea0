/**
 * Stage 2. Takes impressions and their feedback in any order; gives {@link
 * dev.freshet.core.labels.LabeledExample}s when the delay correction says so. Read {@link
 * dev.freshet.core.labels.LabelJoin} first. Next: features.
 */
@NullMarked
package dev.freshet.core.labels;

import org.jspecify.annotations.NullMarked;
