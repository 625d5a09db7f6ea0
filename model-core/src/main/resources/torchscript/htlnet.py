# HTLNet: hybrid targets learning network, RecSys 2024 (docs/models/htlnet.md says what is the paper's and what is
# our reading). Order of p: K towers; per later task two fusion units (representations, label embeddings) of
# value, query, key; one label table (2, L) per task that has a successor.
class HtlNet(Module):
  depth : int
  representation : int
  stop_before : bool
  stop_after : bool
  label_embedding : bool
  fusion : bool
  adjust : bool
  alpha : float
  gamma : float
  clip : float
  norm_after : bool
  tau : float

  def label(self: __torch__.HtlNet, o: Tensor, table: Tensor, noise: Tensor, tau: Tensor) -> Tensor:
    # Label embedding unit: the label is drawn from the prediction, not from the truth, relaxed by
    # Gumbel-softmax; w = softmax(([log p, log(1 - p)] + g) / tau), result w E: (B, L).
    logp = torch.stack([torch.log_sigmoid(o), torch.log_sigmoid(torch.neg(o))], 1)
    logp = torch.clamp(logp, -16.118)
    w = torch.softmax(torch.div(torch.add(logp, noise), tau), 1)
    return torch.matmul(w, table)

  def forward(self: __torch__.HtlNet, x: Tensor, f: Tensor, p: List[Tensor], noise: Tensor, tau: Tensor) -> List[Tensor]:
    per = 2 * self.depth + 2
    units = self.tasks * per
    tables = units + (self.tasks - 1) * 12
    out = annotate(List[Tensor], [])
    reps = annotate(List[Tensor], [])
    labels = annotate(List[Tensor], [])
    for k in range(self.tasks):
      parts = annotate(List[Tensor], [x])
      if k > 0:
        at = units + (k - 1) * 12
        if self.fusion:
          fused = layers.fuse(reps, p, at)
          if self.stop_after:
            fused = torch.detach(fused)
          parts.append(fused)
        if self.label_embedding:
          fused = layers.fuse(labels, p, at + 6)
          if self.stop_after:
            fused = torch.detach(fused)
          parts.append(fused)
      hidden = layers.tower(torch.cat(parts, 1), p, k * per, self.depth)
      o = layers.wide(hidden[self.depth], f, k, self.binary)
      out.append(o)
      if k < self.tasks - 1:
        rep = hidden[self.representation]
        shown = o
        if self.stop_before:
          rep = torch.detach(rep)
          shown = torch.detach(o)
        le = (self).label(shown, p[tables + k], torch.select(noise, 1, k), tau, )
        if self.stop_after:
          le = torch.detach(le)
        reps.append(rep)
        labels.append(le)
    return out

  def adjusted(self: __torch__.HtlNet, rows: List[Tensor], reference: List[Tensor]) -> List[Tensor]:
    # Of the embeddings, which all tasks share; a first-order weight belongs to its task, and stays as it is.
    # Direction: a binary gradient that conflicts with the core task's loses alpha of its part along it.
    # Magnitude: it is then moved by gamma towards the core gradient's norm, the ratio clipped to [1/C, C].
    g = layers.embeddings(rows, self.first)
    core = layers.embeddings(reference, self.first)
    square = layers.dot(core, core)
    along = torch.mul(torch.clamp(layers.dot(g, core), None, 0.), torch.div(self.alpha, torch.add(square, 1e-12)))
    turned = annotate(List[Tensor], [])
    for i in range(len(g)):
      turned.append(torch.sub(g[i], torch.mul(along, core[i])))
    own = g
    if self.norm_after:
      own = turned
    norm = torch.sqrt(layers.dot(own, own))
    rho = torch.clamp(torch.div(torch.sqrt(square), torch.add(norm, 1e-12)), 1. / self.clip, self.clip)
    scale = torch.add(torch.mul(rho, self.gamma), 1. - self.gamma)
    # No core label in this batch, no reference: the gradient stays as it is.
    scale = torch.where(torch.gt(square, 0.), scale, torch.ones_like(scale))
    out = annotate(List[Tensor], [])
    for i in range(len(rows)):
      out.append(torch.add(torch.sub(rows[i], g[i]), torch.mul(turned[i], scale)))
    return out

  def step(self: __torch__.HtlNet, e: List[Tensor], indices: List[Tensor], offsets: List[Tensor], weights: List[Tensor], y: Tensor, w: Tensor, reached: Tensor, same: Tensor, noise: Tensor, hyper: Tensor) -> List[Tensor]:
    torch.set_grad_enabled(True)
    tables = layers.leaves(e)
    p = layers.leaves(self.p)
    x = layers.embed(tables, indices, offsets, weights, torch.size(y, 0), self.first, self.sets, p, self.units, self.dense)
    gumbel = torch.reshape(noise, [torch.size(y, 0), self.tasks, 2])
    losses = layers.losses((self).forward(x[0], x[1], p, gumbel, hyper[7], ), self.binary, y, w, self.amount, self.delta)
    n = len(p)
    wrt = p + tables
    dense = annotate(List[Tensor], [])
    rows = annotate(List[List[Tensor]], [])
    for k in range(self.tasks):
      g = layers.gradients(losses[k], wrt, k < self.tasks - 1)
      rows.append(g[n:])
      if k == 0:
        dense = g[:n]
      else:
        dense = layers.add(dense, g[:n])
    torch.set_grad_enabled(False)
    shared = rows[self.tasks - 1]
    core = shared
    for k in range(self.tasks - 1):
      if self.adjust:
        shared = layers.add(shared, (self).adjusted(rows[k], core, ))
      else:
        shared = layers.add(shared, rows[k])
    norm = layers.update(self.p, dense, self.m, self.v, self.steps, losses, shared, hyper)
    return layers.report(losses, norm, shared)

  def predict(self: __torch__.HtlNet, e: List[Tensor], indices: List[Tensor], offsets: List[Tensor], weights: List[Tensor], shape: Tensor) -> List[Tensor]:
    # No noise. At temperature 1 the label embedding is its expectation [p, 1 - p] E, near 0 the likelier row.
    x = layers.embed(e, indices, offsets, weights, torch.size(shape, 0), self.first, self.sets, self.p, self.units, self.dense)
    none = torch.new_zeros(x[0], [torch.size(shape, 0), self.tasks, 2])
    return [layers.predictions((self).forward(x[0], x[1], self.p, none, torch.mul(torch.new_ones(x[0], []), self.tau), ), self.binary, self.amount)]

