/** One class for each subcommand. */
package dev.freshet.local.commands;
