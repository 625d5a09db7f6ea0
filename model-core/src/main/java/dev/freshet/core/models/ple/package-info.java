/** PLE: experts of each task beside shared ones, level upon level. */
package dev.freshet.core.models.ple;
