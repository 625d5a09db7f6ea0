# Shared-Bottom: one MLP for all tasks, one tower per task (docs/models/shared-bottom.md).
from typing import List

import layers
from model import Model
from torch import Tensor


class SharedBottom(Model):
    bottom_at: List[int]
    tower_at: List[List[int]]

    def forward(self, x: Tensor, f: Tensor, p: List[Tensor]) -> List[Tensor]:
        s = layers.mlp(x, p, self.bottom_at)
        out: List[Tensor] = []
        for k in range(self.tasks):
            hidden = layers.tower(s, p, self.tower_at[k])
            out.append(layers.wide(hidden[-1], f, k, self.binary))
        return out

    def losses(self, o: List[Tensor], y: Tensor, w: Tensor, reached: Tensor) -> List[Tensor]:
        return layers.losses(o, self.binary, y, w, self.amount, self.delta)

    def predictions(self, o: List[Tensor]) -> Tensor:
        return layers.predictions(o, self.binary, self.amount)
