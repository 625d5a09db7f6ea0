# HTLNet: hybrid targets learning network, RecSys 2024 (docs/models/htlnet.md says what is the paper's and what is
# our reading). A label table is (2, L).
from typing import List

import layers
import torch
import torch.nn.functional as F
from model import Model
from torch import Tensor


class HtlNet(Model):
    tower_at: List[List[int]]
    fused_representations_at: List[List[int]]
    fused_labels_at: List[List[int]]
    label_table_at: List[int]
    representation: int
    stop_before: bool
    stop_after: bool
    label_embedding: bool
    fusion: bool
    adjust: bool
    alpha: float
    gamma: float
    clip: float
    norm_after: bool
    tau: float

    def label(self, o: Tensor, table: Tensor, noise: Tensor, tau: float) -> Tensor:
        # Label embedding unit: the label is drawn from the prediction, not from the truth, relaxed by
        # Gumbel-softmax; w = softmax(([log p, log(1 - p)] + g) / tau), result w E: (B, L).
        logp = torch.stack([F.logsigmoid(o), F.logsigmoid(-o)], 1).clamp(-16.118)
        return torch.softmax((logp + noise) / tau, 1) @ table

    def passed_on(self, x: Tensor) -> Tensor:
        return x.detach() if self.stop_after else x

    def forward(self, x: Tensor, f: Tensor, p: List[Tensor], noise: Tensor, tau: float) -> List[Tensor]:
        out: List[Tensor] = []
        reps: List[Tensor] = []
        labels: List[Tensor] = []
        for k in range(self.tasks):
            parts = [x]
            if k > 0:
                if self.fusion:
                    parts.append(self.passed_on(layers.fuse(reps, p, self.fused_representations_at[k - 1])))
                if self.label_embedding:
                    parts.append(self.passed_on(layers.fuse(labels, p, self.fused_labels_at[k - 1])))
            hidden = layers.tower(torch.cat(parts, 1), p, self.tower_at[k])
            o = layers.wide(hidden[-1], f, k, self.binary)
            out.append(o)
            if k < self.tasks - 1:
                rep = hidden[self.representation]
                shown = o
                if self.stop_before:
                    rep = rep.detach()
                    shown = o.detach()
                reps.append(rep)
                table = p[self.label_table_at[k]]
                labels.append(self.passed_on(self.label(shown, table, noise[:, k], tau)))
        return out

    def weights_of(self, products: Tensor) -> Tensor:
        # How much of each task's gradient of the embeddings, which all tasks share, goes into theirs, (K,), from the inner
        # products of these gradients, (K, K).
        # Direction: a binary gradient that conflicts with the core task's loses alpha of its part along it.
        # Magnitude: it is then moved by gamma towards the core gradient's norm, the ratio clipped to [1/C, C].
        square = products[-1, -1:]
        with_core = products[:-1, -1]
        along = with_core.clamp(max=0.0) * (self.alpha / (square + 1e-12))
        own = products.diagonal()[:-1]
        if self.norm_after:
            own = own - 2.0 * along * with_core + along * along * square
        rho = (square.sqrt() / (own.clamp(min=0.0).sqrt() + 1e-12)).clamp(1.0 / self.clip, self.clip)
        scale = rho * self.gamma + (1.0 - self.gamma)
        # No core label in this batch, no reference: the gradients stay as they are.
        scale = torch.where(square > 0.0, scale, torch.ones_like(scale))
        return torch.cat([scale, 1.0 - (scale * along).sum([0], True)])

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
        # Gradients of rows are told task by task: how they conflict is known once the whole batch has been seen.
        torch.set_grad_enabled(True)
        tables = layers.leaves(e)
        p = layers.leaves(self.p)
        q = self.multiplied(p, hyper)
        x, f = self.embed(tables, indices, offsets, weights, y.size(0), q)
        gumbel = noise.reshape([y.size(0), self.tasks, 2])
        named = layers.named(self.hyper_names, hyper)
        o = self.forward(x, f, q, gumbel, named["tau"])
        losses = layers.losses(o, self.binary, y, w, self.amount, self.delta)
        n = len(p)
        dense: List[Tensor] = []
        rows: List[Tensor] = []
        for k, loss in enumerate(losses):
            g = layers.gradients(loss, p + tables, k < self.tasks - 1)
            rows = rows + g[n:]
            dense = g[:n] if k == 0 else layers.add(dense, g[:n])
        torch.set_grad_enabled(False)
        said = layers.predictions(o, self.binary, self.amount).detach()
        return [torch.stack(losses), said] + dense + rows

    def shared(self, rows: List[Tensor]) -> List[Tensor]:
        n = len(rows) // self.tasks
        out = rows[:n]
        for k in range(1, self.tasks):
            out = layers.add(out, rows[k * n : (k + 1) * n])
        if not self.adjust:
            return out
        # A first-order weight belongs to its task: of these the sum is right.
        flat: List[Tensor] = []
        for k in range(self.tasks):
            parts = [r.narrow(1, 0, r.size(1) - self.first).reshape([-1]) for r in rows[k * n : (k + 1) * n]]
            flat.append(torch.cat(parts))
        gradients = torch.stack(flat)
        mixed = self.weights_of(gradients @ gradients.transpose(0, 1)) @ gradients
        at = 0
        for r in out:
            d = r.size(1) - self.first
            size = r.size(0) * d
            r.narrow(1, 0, d).copy_(mixed.narrow(0, at, size).reshape([r.size(0), d]))
            at = at + size
        return out

    def predict(
        self,
        e: List[Tensor],
        indices: List[Tensor],
        offsets: List[Tensor],
        weights: List[Tensor],
        shape: Tensor,
    ) -> List[Tensor]:
        # No noise. At temperature 1 the label embedding is its expectation [p, 1 - p] E, near 0 the likelier row.
        x, f = self.embed(e, indices, offsets, weights, shape.size(0), self.p)
        none = x.new_zeros([shape.size(0), self.tasks, 2])
        o = self.forward(x, f, self.p, none, self.tau)
        return [layers.predictions(o, self.binary, self.amount)]
