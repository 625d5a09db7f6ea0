# PLE: progressive layered extraction, RecSys 2020 (docs/models/ple.md).
# An expert is one ReLU layer.
from typing import List

import layers
import torch
from model import Model
from torch import Tensor


class Ple(Model):
    levels: int
    expert_at: List[List[List[int]]]
    shared_at: List[List[int]]
    gate_at: List[List[int]]
    shared_gate_at: List[int]
    tower_at: List[List[int]]

    def experts(self, x: Tensor, p: List[Tensor], at: List[int]) -> List[Tensor]:
        return [torch.relu(layers.linear(x, p, expert)) for expert in at]

    def forward(self, x: Tensor, f: Tensor, p: List[Tensor]) -> List[Tensor]:
        inputs = [x for t in range(self.tasks)]
        common = x
        for level in range(self.levels):
            shared = self.experts(common, p, self.shared_at[level])
            everything: List[Tensor] = []
            mixed: List[Tensor] = []
            for t in range(self.tasks):
                own = self.experts(inputs[t], p, self.expert_at[level][t])
                everything = everything + own
                mixed.append(layers.mix(inputs[t], own + shared, p, self.gate_at[level][t]))
            if level < self.levels - 1:
                common = layers.mix(common, everything + shared, p, self.shared_gate_at[level])
            inputs = mixed
        out: List[Tensor] = []
        for t in range(self.tasks):
            hidden = layers.tower(inputs[t], p, self.tower_at[t])
            out.append(layers.wide(hidden[-1], f, t, self.binary))
        return out

    def losses(self, o: List[Tensor], y: Tensor, w: Tensor, reached: Tensor) -> List[Tensor]:
        return layers.losses(o, self.binary, y, w, self.amount, self.delta)

    def predictions(self, o: List[Tensor]) -> Tensor:
        return layers.predictions(o, self.binary, self.amount)
