/** The one door to PyTorch: {@link dev.freshet.core.models.torch.TorchEngine}. */
@NullMarked
package dev.freshet.core.models.torch;

import org.jspecify.annotations.NullMarked;
