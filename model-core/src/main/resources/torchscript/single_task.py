# Single-task: rows and a tower for each task, nothing shared (docs/models/single-task.md).
# x holds each task's embeddings one after the other, E floats for a task.
from typing import List

import layers
from model import Model
from torch import Tensor


class SingleTask(Model):
    inputs: int
    tower_at: List[List[int]]

    def forward(self, x: Tensor, f: Tensor, p: List[Tensor]) -> List[Tensor]:
        out: List[Tensor] = []
        for k in range(self.tasks):
            own = x.narrow(1, k * self.inputs, self.inputs)
            hidden = layers.tower(own, p, self.tower_at[k])
            out.append(layers.wide(hidden[-1], f, k, self.binary))
        return out

    def losses(self, o: List[Tensor], y: Tensor, w: Tensor, reached: Tensor) -> List[Tensor]:
        return layers.losses(o, self.binary, y, w, self.amount, self.delta)

    def predictions(self, o: List[Tensor]) -> Tensor:
        return layers.predictions(o, self.binary, self.amount)
