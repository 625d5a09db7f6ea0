# What all models have. A model's class extends Model: what it does not define itself is as here. (TorchScript knows no
# inheritance; the JVM copies into the class what it lacks.) It brings
#   forward(x, f, p) -> outputs of the tasks, from embeddings x (B, E), first-order weights f (B, K) and weights p
#   losses(o, y, w, reached) -> one loss per task
#   predictions(o) -> (B, K)
# or a part, a shared and a predict of its own.
from typing import List

import layers
import torch
from torch import Tensor
from torch.nn import Module


class Model(Module):
    training: bool
    p: List[Tensor]
    m: List[Tensor]
    v: List[Tensor]
    steps: List[Tensor]
    tasks: int
    binary: int
    amount: str
    delta: float
    first: int
    sets: int
    hyper_names: List[str]
    attention: List[List[int]]
    attention_at: List[List[List[int]]]
    layers_at: List[int]

    def setup(self, p: List[Tensor], m: List[Tensor], v: List[Tensor], steps: List[Tensor]) -> Tensor:
        # Weights, the moments of Adam or what else the optimiser keeps, and step counters, which the steps change in
        # place.
        self.p = p
        self.m = m
        self.v = v
        self.steps = steps
        return torch.zeros([1], device=torch.device("cpu"))

    def embed(
        self,
        e: List[Tensor],
        indices: List[Tensor],
        offsets: List[Tensor],
        weights: List[Tensor],
        batch: int,
        p: List[Tensor],
    ) -> List[Tensor]:
        return layers.embed(
            e, indices, offsets, weights, batch, self.first, self.sets, p, self.attention, self.attention_at
        )

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
        # One part, which is the whole batch.
        found = self.part(e, indices, offsets, weights, y, w, reached, same, noise, hyper)
        return self.whole(found[0], found[1], found[2:], hyper)

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
        # What examples bring to a step: losses (the tasks' come first), what the forward pass predicted, then gradients,
        # of the dense weights and of the rows of each table. Here all losses are added, and there is one backward pass.
        torch.set_grad_enabled(True)
        tables = layers.leaves(e)
        p = layers.leaves(self.p)
        q = self.multiplied(p, hyper)
        x, f = self.embed(tables, indices, offsets, weights, y.size(0), q)
        o = self.forward(x, f, q)
        losses = torch.stack(self.losses(o, y, w, reached))
        grads = layers.gradients(losses.sum(), p + tables, False)
        torch.set_grad_enabled(False)
        return [losses, self.predictions(o).detach()] + grads

    def multiplied(self, p: List[Tensor], hyper: Tensor) -> List[Tensor]:
        # The weights as a step multiplies by them.
        return layers.lowered(p, self.layers_at, layers.named(self.hyper_names, hyper)["half"] > 0.0)

    def shared(self, rows: List[Tensor]) -> List[Tensor]:
        # The gradient of each table's rows, from what the parts brought of them.
        return rows

    def whole(self, losses: Tensor, said: Tensor, grads: List[Tensor], hyper: Tensor) -> List[Tensor]:
        # The step itself: losses, what `update` says, what was predicted, gradient of each table's rows.
        n = len(self.p)
        rows = self.shared(grads[n:])
        named = layers.named(self.hyper_names, hyper)
        told = layers.update(self.p, grads[:n], self.m, self.v, self.steps, losses, rows, named)
        return [losses, told, said] + rows

    def part_of(
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
        of: Tensor,
    ) -> List[Tensor]:
        # As `part`, of the examples from of[0] to of[1]: added up over all of them it is the part that is the whole.
        first = int(of[0])
        count = int(of[1]) - first
        batch = y.size(0)
        i, o, b = layers.bags_of(indices, offsets, weights, batch, first, count)
        # A loss is divided by the number of its rows.
        share = w.narrow(0, first, count) * (float(count) / float(batch))
        return self.part(
            e,
            i,
            o,
            b,
            y.narrow(0, first, count),
            share,
            reached.narrow(0, first, count),
            same.narrow(0, first, count),
            noise.narrow(0, first, count),
            hyper,
        )

    def together(
        self, losses: List[Tensor], said: List[Tensor], grads: List[Tensor], hyper: Tensor
    ) -> List[Tensor]:
        # The step of parts: grads has all of the first one, then all of the second.
        n = len(grads) // len(losses)
        sums = grads[:n]
        for i in range(1, len(losses)):
            sums = torch._foreach_add(sums, grads[i * n : (i + 1) * n])
        return self.whole(torch.stack(losses).sum([0]), torch.cat(said), sums, hyper)

    def predict(
        self,
        e: List[Tensor],
        indices: List[Tensor],
        offsets: List[Tensor],
        weights: List[Tensor],
        shape: Tensor,
    ) -> List[Tensor]:
        x, f = self.embed(e, indices, offsets, weights, shape.size(0), self.p)
        return [self.predictions(self.forward(x, f, self.p))]

    def inspect(
        self,
        e: List[Tensor],
        indices: List[Tensor],
        offsets: List[Tensor],
        weights: List[Tensor],
        shape: Tensor,
    ) -> List[Tensor]:
        # (B, n): what a model has to say of each example besides its predictions.
        assert False, "this model says nothing besides its predictions"
