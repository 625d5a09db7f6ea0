# PLE: progressive layered extraction, RecSys 2020 (docs/models/ple.md).
# Order of p, level by level: own experts of each task, shared experts, one gate per task, one gate for the shared
# input of the next level (not at the last); then towers. An expert is one ReLU layer.
from typing import List

import layers
import torch
from model import Model
from torch import Tensor


class Ple(Model):
    levels: int
    own: int
    shared: int
    depth: int

    def experts(self, x: Tensor, p: List[Tensor], at: int, count: int) -> List[Tensor]:
        return [torch.relu(layers.linear(x, p, at + 2 * i)) for i in range(count)]

    def forward(self, x: Tensor, f: Tensor, p: List[Tensor]) -> List[Tensor]:
        inputs = [x for t in range(self.tasks)]
        common = x
        at = 0
        for level in range(self.levels):
            gates = at + 2 * (self.tasks * self.own + self.shared)
            shared = self.experts(common, p, at + 2 * self.tasks * self.own, self.shared)
            everything: List[Tensor] = []
            mixed: List[Tensor] = []
            for t in range(self.tasks):
                own = self.experts(inputs[t], p, at + 2 * t * self.own, self.own)
                everything = everything + own
                mixed.append(layers.mix(inputs[t], own + shared, p, gates + 2 * t))
            at = gates + 2 * self.tasks
            if level < self.levels - 1:
                common = layers.mix(common, everything + shared, p, at)
                at = at + 2
            inputs = mixed
        out: List[Tensor] = []
        for t in range(self.tasks):
            hidden = layers.tower(inputs[t], p, at + t * (2 * self.depth + 2), self.depth)
            out.append(layers.wide(hidden[-1], f, t, self.binary))
        return out

    def losses(self, o: List[Tensor], y: Tensor, w: Tensor, reached: Tensor) -> List[Tensor]:
        return layers.losses(o, self.binary, y, w, self.amount, self.delta)

    def predictions(self, o: List[Tensor]) -> Tensor:
        return layers.predictions(o, self.binary, self.amount)
