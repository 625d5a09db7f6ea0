/** MMoE: shared experts, one gate per task. */
package dev.freshet.core.models.mmoe;
