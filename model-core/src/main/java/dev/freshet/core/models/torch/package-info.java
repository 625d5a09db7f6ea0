/** The one door to PyTorch: {@link dev.freshet.core.models.torch.TorchEngine}. */
@NullUnmarked // not yet; TorchEngine is to be split first
package dev.freshet.core.models.torch;

import org.jspecify.annotations.NullUnmarked;
