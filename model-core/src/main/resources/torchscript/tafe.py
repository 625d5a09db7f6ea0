# TAFE: task aware feature extraction, RecSys 2023 (docs/models/tafe.md; everything below the abstract is our
# reading). F fields of d floats, G groups of n seeds (n, d), each with a mix (1,). The selector sees a task's indicator
# (1, c) and the fields' means. Where fields differ in size, there is a projection of each size into d, (size, d).
from typing import List

import layers
import torch
from model import Model
from torch import Tensor


class Tafe(Model):
    fields: int
    dim: int
    sizes: List[int]
    counts: List[int]
    seeds_at: List[int]
    mix_at: List[int]
    feedforward_at: List[int]
    excitation_at: List[int]
    selector_at: int
    indicator_at: List[int]
    tower_at: List[List[int]]
    projection_at: List[int]
    path: bool
    stop: bool
    softmax: bool
    reconstruct: bool
    select: bool

    def sized(self, e: Tensor, p: List[Tensor]) -> Tensor:
        # (B, E) to (B, F, d): counts[s] fields of sizes[s] floats lie one after the other.
        parts: List[Tensor] = []
        at = 0
        for s in range(len(self.sizes)):
            width = self.counts[s] * self.sizes[s]
            part = e.narrow(1, at, width).reshape([e.size(0), self.counts[s], self.sizes[s]])
            if len(self.projection_at) > 0:
                part = layers.product(part, p[self.projection_at[s]])
            parts.append(part)
            at = at + width
        return torch.cat(parts, 1)

    def represent(self, x: Tensor, p: List[Tensor]) -> Tensor:
        # Sample-wise representation generator: set attention over the fields through a few learnt seeds, linear in F,
        # then squeeze-and-excitation with one gate per field and sample. (B, F, d) to (B, F, d). Nothing is
        # normalised: a row that was seen little is small and says little, and would say as much as any other.
        mixed = x
        for seeds, mix in zip(self.seeds_at, self.mix_at):
            seen = layers.attention(p[seeds], x)
            mixed = mixed + layers.attention(x, seen) * p[mix]
        widen, narrow = self.feedforward_at
        inner = torch.relu(layers.product(mixed, p[widen]) + p[widen + 1])
        h = mixed + (layers.product(inner, p[narrow]) + p[narrow + 1])
        squeeze, excite = self.excitation_at
        squeezed = torch.relu(layers.linear(h.mean([2]), p, squeeze))
        gate = self.gate(layers.linear(squeezed, p, excite))
        return gate.unsqueeze(2) * h

    def gate(self, x: Tensor) -> Tensor:
        # 0 to 2: one that prefers nothing changes nothing.
        return torch.sigmoid(x) * 2.0

    def selection(self, x: Tensor, p: List[Tensor]) -> Tensor:
        # (B, F). The softmax is multiplied by F, so that a selector that prefers nothing changes nothing.
        s = layers.linear(x, p, self.selector_at)
        if self.softmax:
            return torch.softmax(s, 1) * float(self.fields)
        return self.gate(s)

    def forward(self, e: Tensor, f: Tensor, p: List[Tensor]) -> List[Tensor]:
        batch = e.size(0)
        x = self.sized(e, p)
        if self.reconstruct:
            x = self.represent(x, p)
        means = x.mean([2])
        out: List[Tensor] = []
        for t in range(self.tasks):
            h = x
            if self.select:
                # Pattern selector: which fields this task looks at, for this sample.
                indicator = p[self.indicator_at[t]].expand([batch, -1])
                s = self.selection(torch.cat([indicator, means], 1), p)
                h = s.unsqueeze(2) * x
            hidden = layers.tower(h.reshape([batch, -1]), p, self.tower_at[t])
            out.append(layers.wide(hidden[-1], f, t, self.binary))
        return out

    def losses(self, o: List[Tensor], y: Tensor, w: Tensor, reached: Tensor) -> List[Tensor]:
        if self.path:
            # (B) Likelihood of the path: each step's own probability, where the step before happened.
            return layers.losses(
                o, self.binary, y, layers.reaching(self.binary, w, reached), self.amount, self.delta
            )
        # (A) Every step's probability from the impression on, over all impressions.
        chained = layers.chain(o, self.binary, self.stop)
        return layers.log_losses(chained, self.binary, y, w, self.amount, self.delta)

    def predictions(self, o: List[Tensor]) -> Tensor:
        return layers.log_predictions(layers.chain(o, self.binary, False), self.binary, self.amount)
