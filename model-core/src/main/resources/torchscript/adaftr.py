# AdaFTR: adaptive fine-grained task relatedness, arXiv 2208.13442 (docs/models/adaftr.md; everything below the
# abstract is our reading). c is the width in which representations are compared. There is a bottom for all tasks or one
# for each; for each pair of adjacent binary tasks two projections (if any) and a relatedness network.
from typing import List, Tuple

import layers
import torch
import torch.nn.functional as F
from model import Model
from torch import Tensor


class AdaFtr(Model):
    bottom_at: List[List[int]]
    tower_at: List[List[int]]
    first_at: List[int]
    second_at: List[int]
    relatedness_at: List[List[int]]
    separate: bool
    space: str
    project: bool
    adaptive: bool
    tau: float
    tau_min: float
    tau_max: float
    negatives: int
    stop: bool
    weight: float
    supervision: float
    pull: float
    prior: float

    def hidden(self, x: Tensor, f: Tensor, p: List[Tensor]) -> List[Tensor]:
        # The outputs of all tasks, then what is below each task's tower, s, and its last hidden layer, z.
        shared = layers.mlp(x, p, self.bottom_at[0])
        out: List[Tensor] = []
        below: List[Tensor] = []
        z: List[Tensor] = []
        for k in range(self.tasks):
            s = shared
            if self.separate:
                s = layers.mlp(x, p, self.bottom_at[k])
            h = layers.tower(s, p, self.tower_at[k])
            out.append(layers.wide(h[-1], f, k, self.binary))
            below.append(s)
            z.append(h[-2])
        return out + below + z

    def forward(self, x: Tensor, f: Tensor, p: List[Tensor]) -> List[Tensor]:
        return self.hidden(x, f, p)[: self.tasks]

    def predictions(self, o: List[Tensor]) -> Tensor:
        if self.space == "direct":
            return layers.predictions(o, self.binary, self.amount)
        return layers.log_predictions(layers.chain(o, self.binary, False), self.binary, self.amount)

    def losses(self, o: List[Tensor], y: Tensor, w: Tensor, reached: Tensor) -> List[Tensor]:
        if self.space == "entire":
            chained = layers.chain(o, self.binary, False)
            return layers.log_losses(chained, self.binary, y, w, self.amount, self.delta)
        if self.space == "direct":
            return layers.losses(o, self.binary, y, w, self.amount, self.delta)
        reaching = layers.reaching(self.binary, w, reached)
        out = layers.losses(o, self.binary, y, reaching, self.amount, self.delta)
        for k in range(1, self.binary):
            # Over the rows that reached the step, not over all of them.
            rows = (w[:, k] > 0.0) * reached[:, k]
            out[k] = out[k] * float(w.size(0)) / rows.sum().clamp(1.0)
        return out

    def unit(self, h: Tensor) -> Tensor:
        # Of length 1; what is much shorter than a thousandth stays short, or its gradient would explode.
        return h * torch.rsqrt((h * h).sum([1], True) + 1e-06)

    def views(self, h: List[Tensor], p: List[Tensor], t: int) -> Tuple[Tensor, Tensor]:
        # What the tasks t and t + 1 see of the example, to be compared.
        u, v = h[2 * self.tasks + t], h[2 * self.tasks + t + 1]
        if self.project:
            u = layers.linear(u, p, self.first_at[t])
            v = layers.linear(v, p, self.second_at[t])
        return self.unit(u), self.unit(v)

    def relatedness(self, h: List[Tensor], p: List[Tensor], t: int) -> Tensor:
        # Log-odds of r, (B,), from what the two tasks see of the example.
        z = 2 * self.tasks + t
        parts = [h[self.tasks + t], h[z], h[z + 1]]
        if self.separate:
            parts.append(h[self.tasks + t + 1])
        x = torch.cat(parts, 1)
        if self.stop:
            x = x.detach()
        return layers.tower(x, p, self.relatedness_at[t])[-1]

    def temperature(self, logit: Tensor) -> Tensor:
        # Related pairs have a small temperature: a strong pull.
        if self.adaptive:
            return self.tau_max - torch.sigmoid(logit) * (self.tau_max - self.tau_min)
        return torch.ones_like(logit) * self.tau

    def allowed(self, same: Tensor, learnt: Tensor, noise: Tensor) -> Tensor:
        # (B, B): which j stand beside i, itself included. Never one of the same user and item, never one that nothing
        # is learnt from; with a count of negatives only the next so many in a random order.
        n = same.size(0)
        other = same.unsqueeze(1) != same.unsqueeze(0)
        other = other * (learnt > 0.0).unsqueeze(0)
        if self.negatives > 0:
            rank = noise[:, 0].argsort().argsort()
            ahead = (rank.unsqueeze(0) - rank.unsqueeze(1)) % n
            other = other * (ahead <= self.negatives)
        return torch.logical_or(other, torch.eye(n, dtype=other.dtype, device=same.device))

    def contrast(self, u: Tensor, v: Tensor, tau: Tensor, allowed: Tensor) -> Tensor:
        # InfoNCE in both directions, (B,): -log of the own counterpart's share, at each row's own temperature.
        similar = u @ v.transpose(0, 1)
        least = torch.ones_like(similar) * -1e9
        out: List[Tensor] = []
        for s in [similar, similar.transpose(0, 1)]:
            scaled = s / tau.unsqueeze(1)
            all = torch.logsumexp(torch.where(allowed, scaled, least), [1])
            out.append(all - scaled.diagonal())
        return (out[0] + out[1]) * 0.5

    def alignment(
        self,
        h: List[Tensor],
        p: List[Tensor],
        y: Tensor,
        w: Tensor,
        reached: Tensor,
        same: Tensor,
        noise: Tensor,
    ) -> List[Tensor]:
        # One term for each pair of adjacent binary tasks. A row counts as much as the heavier of its two labels: the
        # contrast needs no label, but what is held out must not be learnt from.
        out: List[Tensor] = []
        n = y.size(0)
        for t in range(self.binary - 1):
            logit = self.relatedness(h, p, t)
            learnt = torch.maximum(w[:, t], w[:, t + 1])
            u, v = self.views(h, p, t)
            rows = self.contrast(u, v, self.temperature(logit), self.allowed(same, learnt, noise))
            term = (rows * learnt).sum() / n * self.weight
            if self.supervision > 0.0:
                # Agreement of the labels: 1 where both steps happened, 0 where only the first did, nothing elsewhere.
                agree = F.binary_cross_entropy_with_logits(logit, y[:, t + 1], reduction="none")
                term = term + layers.weighted(agree * reached[:, t + 1], w, t + 1) * self.supervision
            if self.pull > 0.0:
                off = (torch.sigmoid(logit) - self.prior) ** 2
                term = term + (off * learnt).sum() / n * self.pull
            out.append(term)
        return out

    def part(
        self,
        e: List[Tensor],
        indices: List[Tensor],
        offsets: List[Tensor],
        weights: List[Tensor],
        y: Tensor,
        w: Tensor,
        reached: Tensor,
        same: Tensor,
        noise: Tensor,
        hyper: Tensor,
    ) -> List[Tensor]:
        torch.set_grad_enabled(True)
        tables = layers.leaves(e)
        p = layers.leaves(self.p)
        q = self.multiplied(p, hyper)
        x, f = self.embed(tables, indices, offsets, weights, y.size(0), q)
        h = self.hidden(x, f, q)
        all = self.losses(h[: self.tasks], y, w, reached)
        if self.weight > 0.0 or self.supervision > 0.0:
            all = all + self.alignment(h, q, y, w, reached, same, noise)
        losses = torch.stack(all)
        grads = layers.gradients(losses.sum(), p + tables, False)
        torch.set_grad_enabled(False)
        return [losses, self.predictions(h[: self.tasks]).detach()] + grads

    def inspect(
        self,
        e: List[Tensor],
        indices: List[Tensor],
        offsets: List[Tensor],
        weights: List[Tensor],
        shape: Tensor,
    ) -> List[Tensor]:
        # (B, 2 (T - 1)): relatedness of each pair, then the cosine of each pair's views.
        x, f = self.embed(e, indices, offsets, weights, shape.size(0), self.p)
        h = self.hidden(x, f, self.p)
        out: List[Tensor] = []
        for t in range(self.binary - 1):
            out.append(torch.sigmoid(self.relatedness(h, self.p, t)))
        for t in range(self.binary - 1):
            u, v = self.views(h, self.p, t)
            out.append((u * v).sum([1]))
        return [torch.stack(out, 1)]
