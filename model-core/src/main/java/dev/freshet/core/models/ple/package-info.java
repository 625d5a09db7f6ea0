/** PLE: experts of each task beside shared ones, level upon level. */
@NullMarked
package dev.freshet.core.models.ple;

import org.jspecify.annotations.NullMarked;
