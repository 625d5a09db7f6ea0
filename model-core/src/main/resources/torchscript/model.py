# What all models have. A model's class extends Model: what it does not define itself is as here. (TorchScript knows no
# inheritance; the JVM copies into the class what it lacks.) It brings
#   forward(x, f, p) -> outputs of the tasks, from embeddings x (B, E), first-order weights f (B, K) and weights p
#   losses(o, y, w, reached) -> one loss per task
#   predictions(o) -> (B, K)
# or a step and a predict of its own.
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
        # The plain step: all losses are added, one backward pass.
        torch.set_grad_enabled(True)
        tables = layers.leaves(e)
        p = layers.leaves(self.p)
        x, f = self.embed(tables, indices, offsets, weights, y.size(0), p)
        o = self.forward(x, f, p)
        losses = self.losses(o, y, w, reached)
        grads = layers.gradients(torch.stack(losses).sum(), p + tables, False)
        torch.set_grad_enabled(False)
        n = len(p)
        named = layers.named(self.hyper_names, hyper)
        norm = layers.update(self.p, grads[:n], self.m, self.v, self.steps, losses, grads[n:], named)
        return layers.report(losses, norm, self.predictions(o), grads[n:])

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
