# AITM: adaptive information transfer along the chain, KDD 2021 (docs/models/aitm.md).
# Order of p: one bottom per task; per later task transfer, value, query, key (k, k); towers.
from typing import List

import layers
import torch
from model import Model
from torch import Tensor


class Aitm(Model):
    bottom: int
    depth: int
    penalty: float

    def forward(self, x: Tensor, f: Tensor, p: List[Tensor]) -> List[Tensor]:
        units = 2 * self.bottom * self.tasks
        towers = units + 8 * (self.tasks - 1)
        out: List[Tensor] = []
        previous = x
        for t in range(self.tasks):
            h = layers.mlp(x, p, 2 * t * self.bottom, self.bottom)
            if t > 0:
                # Attention over the pair {what the previous task passes on, the task's own}.
                at = units + 8 * (t - 1)
                h = layers.fuse([torch.relu(layers.linear(previous, p, at)), h], p, at + 2)
            previous = h
            hidden = layers.tower(h, p, towers + t * (2 * self.depth + 2), self.depth)
            out.append(layers.wide(hidden[-1], f, t, self.binary))
        return out

    def losses(self, o: List[Tensor], y: Tensor, w: Tensor, reached: Tensor) -> List[Tensor]:
        # A step that is likelier than the one before it is penalised, on the rows that the step's loss counts.
        out = layers.losses(o, self.binary, y, w, self.amount, self.delta)
        for t in range(1, self.binary):
            over = torch.relu(torch.sigmoid(o[t]) - torch.sigmoid(o[t - 1]))
            out[t] = out[t] + layers.weighted(over, w, t) * self.penalty
        return out

    def predictions(self, o: List[Tensor]) -> Tensor:
        return layers.predictions(o, self.binary, self.amount)
