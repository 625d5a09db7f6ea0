# ESMM, extended to a chain of T steps (docs/models/esmm.md).
# o_t is the log-odds of step t given step t - 1; what is learnt and predicted is q_t = sigma(o_1) ... sigma(o_t).
from typing import List

import layers
from model import Model
from torch import Tensor


class Esmm(Model):
    tower_at: List[List[int]]

    def forward(self, x: Tensor, f: Tensor, p: List[Tensor]) -> List[Tensor]:
        out: List[Tensor] = []
        for k in range(self.tasks):
            hidden = layers.tower(x, p, self.tower_at[k])
            out.append(layers.wide(hidden[-1], f, k, self.binary))
        return layers.chain(out, self.binary, False)

    def losses(self, o: List[Tensor], y: Tensor, w: Tensor, reached: Tensor) -> List[Tensor]:
        return layers.log_losses(o, self.binary, y, w, self.amount, self.delta)

    def predictions(self, o: List[Tensor]) -> Tensor:
        return layers.log_predictions(o, self.binary, self.amount)
