# AdaFTR: adaptive fine-grained task relatedness, arXiv 2208.13442 (docs/models/adaftr.md; everything below the
# abstract is our reading). c is the width in which representations are compared. Order of p: the bottom or bottoms; towers;
# per pair of adjacent binary tasks the two projections (if any) and the relatedness network.
class AdaFtr(Module):
  separate : bool
  bottom : int
  depth : int
  space : int
  project : bool
  relation : int
  adaptive : bool
  tau : float
  tau_min : float
  tau_max : float
  negatives : int
  stop : bool
  weight : float
  supervision : float
  pull : float
  prior : float

  def hidden(self: __torch__.AdaFtr, x: Tensor, f: Tensor, p: List[Tensor]) -> List[Tensor]:
    # The outputs of all tasks, then what is below each task's tower, s, and its last hidden layer, z.
    shared = layers.mlp(x, p, 0, self.bottom)
    out = annotate(List[Tensor], [])
    below = annotate(List[Tensor], [])
    z = annotate(List[Tensor], [])
    for k in range(self.tasks):
      s = shared
      if self.separate:
        s = layers.mlp(x, p, 2 * k * self.bottom, self.bottom)
      h = layers.tower(s, p, (self).towers() + k * (2 * self.depth + 2), self.depth)
      out.append(layers.wide(h[self.depth], f, k, self.binary))
      below.append(s)
      z.append(h[self.depth - 1])
    return out + below + z

  def towers(self: __torch__.AdaFtr) -> int:
    # Where the weights of the towers begin.
    bottoms = 1
    if self.separate:
      bottoms = self.tasks
    return 2 * self.bottom * bottoms

  def forward(self: __torch__.AdaFtr, x: Tensor, f: Tensor, p: List[Tensor]) -> List[Tensor]:
    h = (self).hidden(x, f, p, )
    return h[:self.tasks]

  def predictions(self: __torch__.AdaFtr, o: List[Tensor]) -> Tensor:
    if self.space == 2:
      out = layers.predictions(o, self.binary, self.amount)
    else:
      out = layers.log_predictions(layers.chain(o, self.binary, False), self.binary, self.amount)
    return out

  def losses(self: __torch__.AdaFtr, o: List[Tensor], y: Tensor, w: Tensor, reached: Tensor) -> List[Tensor]:
    if self.space == 0:
      out = layers.log_losses(layers.chain(o, self.binary, False), self.binary, y, w, self.amount, self.delta)
    elif self.space == 1:
      plain = layers.losses(o, self.binary, y, layers.reaching(self.binary, w, reached), self.amount, self.delta)
      out = annotate(List[Tensor], [])
      for k in range(self.tasks):
        l = plain[k]
        if k > 0 and k < self.binary:
          # Over the rows that reached the step, not over all of them.
          rows = torch.mul(torch.gt(torch.select(w, 1, k), 0.), torch.select(reached, 1, k))
          l = torch.div(torch.mul(l, float(torch.size(w, 0))), torch.clamp(torch.sum(rows), 1.))
        out.append(l)
    else:
      out = layers.losses(o, self.binary, y, w, self.amount, self.delta)
    return out

  def pair(self: __torch__.AdaFtr, t: int) -> int:
    # Where the weights of the pair (t, t + 1) begin.
    own = 2 * self.relation + 2
    if self.project:
      own = own + 4
    return (self).towers() + self.tasks * (2 * self.depth + 2) + t * own

  def unit(self: __torch__.AdaFtr, z: Tensor, p: List[Tensor], at: int) -> Tensor:
    # Projected and of length 1; what is much shorter than a thousandth stays short, or its gradient would explode.
    h = z
    if self.project:
      h = layers.linear(z, p, at)
    return torch.mul(h, torch.rsqrt(torch.add(torch.sum(torch.mul(h, h), [1], True), 1e-06)))

  def relatedness(self: __torch__.AdaFtr, h: List[Tensor], p: List[Tensor], t: int) -> Tensor:
    # Log-odds of r, (B,), from what the two tasks see of the example.
    at = (self).pair(t, )
    if self.project:
      at = at + 4
    z = 2 * self.tasks + t
    parts = annotate(List[Tensor], [h[self.tasks + t], h[z], h[z + 1]])
    if self.separate:
      parts.append(h[self.tasks + t + 1])
    x = torch.cat(parts, 1)
    if self.stop:
      x = torch.detach(x)
    out = layers.tower(x, p, at, self.relation)
    return out[self.relation]

  def temperature(self: __torch__.AdaFtr, logit: Tensor) -> Tensor:
    # Related pairs have a small temperature: a strong pull.
    tau = torch.mul(torch.ones_like(logit), self.tau)
    if self.adaptive:
      tau = torch.rsub(torch.mul(torch.sigmoid(logit), self.tau_max - self.tau_min), self.tau_max)
    return tau

  def allowed(self: __torch__.AdaFtr, same: Tensor, learnt: Tensor, noise: Tensor) -> Tensor:
    # (B, B): which j stand beside i, itself included. Never one of the same user and item, never one that nothing is
    # learnt from; with a count of negatives only the next so many in a random order.
    n = torch.size(same, 0)
    other = torch.ne(torch.unsqueeze(same, 1), torch.unsqueeze(same, 0))
    other = torch.mul(other, torch.unsqueeze(torch.gt(learnt, 0.), 0))
    if self.negatives > 0:
      rank = torch.argsort(torch.argsort(torch.select(noise, 1, 0)))
      ahead = torch.remainder(torch.sub(torch.unsqueeze(rank, 0), torch.unsqueeze(rank, 1)), n)
      other = torch.mul(other, torch.le(ahead, self.negatives))
    return torch.logical_or(other, torch.eye(n, dtype=11, layout=None, device=ops.prim.device(same)))

  def contrast(self: __torch__.AdaFtr, u: Tensor, v: Tensor, tau: Tensor, allowed: Tensor) -> Tensor:
    # InfoNCE in both directions, (B,): -log of the own counterpart's share, at each row's own temperature.
    similar = torch.matmul(u, torch.transpose(v, 0, 1))
    least = torch.mul(torch.ones_like(similar), -1e9)
    out = annotate(List[Tensor], [])
    for s in [similar, torch.transpose(similar, 0, 1)]:
      scaled = torch.div(s, torch.unsqueeze(tau, 1))
      all = torch.logsumexp(torch.where(allowed, scaled, least), [1])
      out.append(torch.sub(all, torch.diagonal(scaled)))
    return torch.mul(torch.add(out[0], out[1]), 0.5)

  def alignment(self: __torch__.AdaFtr, h: List[Tensor], p: List[Tensor], y: Tensor, w: Tensor, reached: Tensor, same: Tensor, noise: Tensor) -> List[Tensor]:
    # One term for each pair of adjacent binary tasks. A row counts as much as the heavier of its two labels: the
    # contrast needs no label, but what is held out must not be learnt from.
    out = annotate(List[Tensor], [])
    n = torch.size(y, 0)
    for t in range(self.binary - 1):
      at = (self).pair(t, )
      logit = (self).relatedness(h, p, t, )
      learnt = torch.maximum(torch.select(w, 1, t), torch.select(w, 1, t + 1))
      u = (self).unit(h[2 * self.tasks + t], p, at, )
      v = (self).unit(h[2 * self.tasks + t + 1], p, at + 2, )
      rows = (self).contrast(u, v, (self).temperature(logit, ), (self).allowed(same, learnt, noise, ), )
      term = torch.mul(torch.div(torch.sum(torch.mul(rows, learnt)), n), self.weight)
      if self.supervision > 0.:
        # Agreement of the labels: 1 where both steps happened, 0 where only the first did, nothing elsewhere.
        target = torch.select(y, 1, t + 1)
        agree = torch.binary_cross_entropy_with_logits(logit, target, None, None, 0)
        agree = layers.weighted(torch.mul(agree, torch.select(reached, 1, t + 1)), w, t + 1)
        term = torch.add(term, torch.mul(agree, self.supervision))
      if self.pull > 0.:
        off = torch.pow(torch.sub(torch.sigmoid(logit), self.prior), 2)
        term = torch.add(term, torch.mul(torch.div(torch.sum(torch.mul(off, learnt)), n), self.pull))
      out.append(term)
    return out

  def step(self: __torch__.AdaFtr, e: List[Tensor], indices: List[Tensor], offsets: List[Tensor], weights: List[Tensor], y: Tensor, w: Tensor, reached: Tensor, same: Tensor, noise: Tensor, hyper: Tensor) -> List[Tensor]:
    torch.set_grad_enabled(True)
    tables = layers.leaves(e)
    p = layers.leaves(self.p)
    x = layers.embed(tables, indices, offsets, weights, torch.size(y, 0), self.first, self.sets, p, self.units, self.dense)
    h = (self).hidden(x[0], x[1], p, )
    losses = (self).losses(h[:self.tasks], y, w, reached, )
    if self.weight > 0. or self.supervision > 0.:
      losses = losses + (self).alignment(h, p, y, w, reached, same, noise, )
    grads = layers.gradients(torch.sum(torch.stack(losses)), p + tables, False)
    torch.set_grad_enabled(False)
    n = len(p)
    norm = layers.update(self.p, grads[:n], self.m, self.v, self.steps, losses, grads[n:], hyper)
    return layers.report(losses, norm, grads[n:])

  def inspect(self: __torch__.AdaFtr, e: List[Tensor], indices: List[Tensor], offsets: List[Tensor], weights: List[Tensor], shape: Tensor) -> List[Tensor]:
    # (B, 2 (T - 1)): relatedness of each pair, then the cosine of each pair's views.
    x = layers.embed(e, indices, offsets, weights, torch.size(shape, 0), self.first, self.sets, self.p, self.units, self.dense)
    h = (self).hidden(x[0], x[1], self.p, )
    out = annotate(List[Tensor], [])
    for t in range(self.binary - 1):
      out.append(torch.sigmoid((self).relatedness(h, self.p, t, )))
    for t in range(self.binary - 1):
      at = (self).pair(t, )
      u = (self).unit(h[2 * self.tasks + t], self.p, at, )
      v = (self).unit(h[2 * self.tasks + t + 1], self.p, at + 2, )
      out.append(torch.sum(torch.mul(u, v), [1]))
    return [torch.stack(out, 1)]

