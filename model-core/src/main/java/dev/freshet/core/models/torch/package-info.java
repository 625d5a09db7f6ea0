/** The one door to PyTorch: {@link dev.freshet.core.models.torch.TorchEngine}. */
package dev.freshet.core.models.torch;
