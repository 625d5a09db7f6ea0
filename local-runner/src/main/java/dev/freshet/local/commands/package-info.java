/** One class for each subcommand. */
@NullMarked
package dev.freshet.local.commands;

import org.jspecify.annotations.NullMarked;
