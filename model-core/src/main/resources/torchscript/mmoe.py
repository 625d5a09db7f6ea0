# MMoE: experts shared by all tasks, one softmax gate per task (docs/models/mmoe.md).
from typing import List

import layers
from model import Model
from torch import Tensor


class MMoE(Model):
    expert_at: List[List[int]]
    gate_at: List[int]
    tower_at: List[List[int]]

    def forward(self, x: Tensor, f: Tensor, p: List[Tensor]) -> List[Tensor]:
        experts = [layers.mlp(x, p, at) for at in self.expert_at]
        out: List[Tensor] = []
        for t in range(self.tasks):
            s = layers.mix(x, experts, p, self.gate_at[t])
            hidden = layers.tower(s, p, self.tower_at[t])
            out.append(layers.wide(hidden[-1], f, t, self.binary))
        return out

    def losses(self, o: List[Tensor], y: Tensor, w: Tensor, reached: Tensor) -> List[Tensor]:
        return layers.losses(o, self.binary, y, w, self.amount, self.delta)

    def predictions(self, o: List[Tensor]) -> Tensor:
        return layers.predictions(o, self.binary, self.amount)
