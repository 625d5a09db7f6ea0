# AITM: adaptive information transfer along the chain, KDD 2021 (docs/models/aitm.md).
from typing import List

import layers
import torch
from model import Model
from torch import Tensor


class Aitm(Model):
    bottom_at: List[List[int]]
    transfer_at: List[int]
    fusion_at: List[List[int]]
    tower_at: List[List[int]]
    penalty: float

    def forward(self, x: Tensor, f: Tensor, p: List[Tensor]) -> List[Tensor]:
        out: List[Tensor] = []
        previous = x
        for t in range(self.tasks):
            h = layers.mlp(x, p, self.bottom_at[t])
            if t > 0:
                # Attention over the pair {what the previous task passes on, the task's own}.
                transferred = torch.relu(layers.linear(previous, p, self.transfer_at[t - 1]))
                h = layers.fuse([transferred, h], p, self.fusion_at[t - 1])
            previous = h
            hidden = layers.tower(h, p, self.tower_at[t])
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
