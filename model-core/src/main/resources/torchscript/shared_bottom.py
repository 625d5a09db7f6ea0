# Shared-Bottom: one MLP for all tasks, one tower per task (docs/models/shared-bottom.md).
from typing import List

import layers
from model import Model
from torch import Tensor


class SharedBottom(Model):
    bottom: int
    depth: int

    def forward(self, x: Tensor, f: Tensor, p: List[Tensor]) -> List[Tensor]:
        s = layers.mlp(x, p, 0, self.bottom)
        out: List[Tensor] = []
        for k in range(self.tasks):
            hidden = layers.tower(s, p, 2 * self.bottom + k * (2 * self.depth + 2), self.depth)
            out.append(layers.wide(hidden[-1], f, k, self.binary))
        return out

    def losses(self, o: List[Tensor], y: Tensor, w: Tensor, reached: Tensor) -> List[Tensor]:
        return layers.losses(o, self.binary, y, w, self.amount, self.delta)

    def predictions(self, o: List[Tensor]) -> Tensor:
        return layers.predictions(o, self.binary, self.amount)
