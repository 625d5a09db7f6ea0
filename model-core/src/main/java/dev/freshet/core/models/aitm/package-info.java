/** AITM: information passed along the chain by attention. */
package dev.freshet.core.models.aitm;
