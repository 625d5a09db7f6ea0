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

    def adjusted(self, rows: List[Tensor], reference: List[Tensor]) -> List[Tensor]:
        # Of the embeddings, which all tasks share; a first-order weight belongs to its task, and stays as it is.
        # Direction: a binary gradient that conflicts with the core task's loses alpha of its part along it.
        # Magnitude: it is then moved by gamma towards the core gradient's norm, the ratio clipped to [1/C, C].
        g = layers.embeddings(rows, self.first)
        core = layers.embeddings(reference, self.first)
        square = layers.dot(core, core)
        along = layers.dot(g, core).clamp(max=0.0) * (self.alpha / (square + 1e-12))
        turned = [g[i] - along * core[i] for i in range(len(g))]
        own = turned if self.norm_after else g
        norm = layers.dot(own, own).sqrt()
        rho = (square.sqrt() / (norm + 1e-12)).clamp(1.0 / self.clip, self.clip)
        scale = rho * self.gamma + (1.0 - self.gamma)
        # No core label in this batch, no reference: the gradient stays as it is.
        scale = torch.where(square > 0.0, scale, torch.ones_like(scale))
        out: List[Tensor] = []
        for i, row in enumerate(rows):
            out.append(row - g[i] + turned[i] * scale)
        return out

    def step(
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
        x, f = self.embed(tables, indices, offsets, weights, y.size(0), p)
        gumbel = noise.reshape([y.size(0), self.tasks, 2])
        named = layers.named(self.hyper_names, hyper)
        o = self.forward(x, f, p, gumbel, named["tau"])
        losses = layers.losses(o, self.binary, y, w, self.amount, self.delta)
        n = len(p)
        dense: List[Tensor] = []
        rows: List[List[Tensor]] = []
        for k, loss in enumerate(losses):
            g = layers.gradients(loss, p + tables, k < self.tasks - 1)
            rows.append(g[n:])
            dense = g[:n] if k == 0 else layers.add(dense, g[:n])
        torch.set_grad_enabled(False)
        core = rows[-1]
        shared = core
        for own in rows[:-1]:
            shared = layers.add(shared, self.adjusted(own, core) if self.adjust else own)
        norm = layers.update(self.p, dense, self.m, self.v, self.steps, losses, shared, named)
        return layers.report(losses, norm, layers.predictions(o, self.binary, self.amount), shared)

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
