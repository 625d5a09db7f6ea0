# What the scripts use of torch.nn.functional. libtorch alone does not have that module: what is written in Python as F.f(...)
# is F.f(...) of this file in the JVM. A user who imports a script beside PyTorch never sees it.
from torch import Tensor, ops


def logsigmoid(input: Tensor) -> Tensor:
    return ops.aten.log_sigmoid(input)


def softplus(input: Tensor) -> Tensor:
    return ops.aten.softplus(input)


def huber_loss(input: Tensor, target: Tensor, reduction: str, delta: float) -> Tensor:
    assert reduction == "none"
    return ops.aten.huber_loss(input, target, 0, delta)


def binary_cross_entropy_with_logits(input: Tensor, target: Tensor, reduction: str) -> Tensor:
    assert reduction == "none"
    return ops.aten.binary_cross_entropy_with_logits(input, target, None, None, 0)
