/** Shared-Bottom, the floor that other models are measured against. */
package dev.freshet.core.models.sharedbottom;
