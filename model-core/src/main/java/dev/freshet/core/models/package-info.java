/**
 * Stage 4a. What can be trained: {@link dev.freshet.core.models.Models} is the menu. A model is a
 * settings record and a TorchScript file under {@code torchscript/}.
 */
@NullMarked
package dev.freshet.core.models;

import org.jspecify.annotations.NullMarked;
