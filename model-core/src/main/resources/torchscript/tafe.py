# TAFE: task aware feature extraction, RecSys 2023 (docs/models/tafe.md; everything below the abstract is our
# reading). F fields of d floats, G groups of n seeds. Order of p: seeds (n, d) for each group, their mix (1,) each;
# feed-forward (in, out); squeeze, excitation; selector (task indicator and field means to fields), one task indicator
# (1, c) per task; towers; where fields differ in size, a map of each size into d, (size, d).
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
    groups: int
    depth: int
    path: bool
    stop: bool
    softmax: bool
    reconstruct: bool
    select: bool

    def sized(self, e: Tensor, p: List[Tensor]) -> Tensor:
        # (B, E) to (B, F, d): counts[s] fields of sizes[s] floats lie one after the other.
        n = len(self.sizes)
        parts: List[Tensor] = []
        at = 0
        for s in range(n):
            width = self.counts[s] * self.sizes[s]
            part = e.narrow(1, at, width).reshape([e.size(0), self.counts[s], self.sizes[s]])
            if n > 1:
                part = part @ p[self.dense - n + s]
            parts.append(part)
            at = at + width
        return torch.cat(parts, 1)

    def represent(self, x: Tensor, p: List[Tensor]) -> Tensor:
        # Sample-wise representation generator: set attention over the fields through a few learnt seeds, linear in F,
        # then squeeze-and-excitation with one gate per field and sample. (B, F, d) to (B, F, d). Nothing is
        # normalised: a row that was seen little is small and says little, and would say as much as any other.
        mixed = x
        for g in range(self.groups):
            seen = layers.attention(p[g], x)
            mixed = mixed + layers.attention(x, seen) * p[self.groups + g]
        at = 2 * self.groups
        inner = torch.relu(mixed @ p[at] + p[at + 1])
        h = mixed + (inner @ p[at + 2] + p[at + 3])
        squeezed = torch.relu(layers.linear(h.mean([2]), p, at + 4))
        gate = self.gate(layers.linear(squeezed, p, at + 6))
        return gate.unsqueeze(2) * h

    def gate(self, x: Tensor) -> Tensor:
        # 0 to 2: one that prefers nothing changes nothing.
        return torch.sigmoid(x) * 2.0

    def selection(self, x: Tensor, p: List[Tensor], at: int) -> Tensor:
        # (B, F). The softmax is multiplied by F, so that a selector that prefers nothing changes nothing.
        s = layers.linear(x, p, at)
        if self.softmax:
            return torch.softmax(s, 1) * float(self.fields)
        return self.gate(s)

    def forward(self, e: Tensor, f: Tensor, p: List[Tensor]) -> List[Tensor]:
        batch = e.size(0)
        x = self.sized(e, p)
        if self.reconstruct:
            x = self.represent(x, p)
        means = x.mean([2])
        at = 2 * self.groups + 8
        towers = at + 2 + self.tasks
        out: List[Tensor] = []
        for t in range(self.tasks):
            h = x
            if self.select:
                # Pattern selector: which fields this task looks at, for this sample.
                indicator = p[at + 2 + t].expand([batch, -1])
                s = self.selection(torch.cat([indicator, means], 1), p, at)
                h = s.unsqueeze(2) * x
            hidden = layers.tower(h.reshape([batch, -1]), p, towers + t * (2 * self.depth + 2), self.depth)
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
