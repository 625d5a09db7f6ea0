# MMoE: experts shared by all tasks, one softmax gate per task (docs/models/mmoe.md).
# Order of p: experts (layers each), gates (one linear each), towers.
from typing import List

import layers
from model import Model
from torch import Tensor


class MMoE(Model):
    experts: int
    layers_each: int
    depth: int

    def forward(self, x: Tensor, f: Tensor, p: List[Tensor]) -> List[Tensor]:
        experts = [
            layers.mlp(x, p, 2 * k * self.layers_each, self.layers_each) for k in range(self.experts)
        ]
        gates = 2 * self.experts * self.layers_each
        towers = gates + 2 * self.tasks
        out: List[Tensor] = []
        for t in range(self.tasks):
            s = layers.mix(x, experts, p, gates + 2 * t)
            hidden = layers.tower(s, p, towers + t * (2 * self.depth + 2), self.depth)
            out.append(layers.wide(hidden[-1], f, t, self.binary))
        return out

    def losses(self, o: List[Tensor], y: Tensor, w: Tensor, reached: Tensor) -> List[Tensor]:
        return layers.losses(o, self.binary, y, w, self.amount, self.delta)

    def predictions(self, o: List[Tensor]) -> Tensor:
        return layers.predictions(o, self.binary, self.amount)
