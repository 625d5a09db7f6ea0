  # Appended to the class of every model whose step is the plain one: all losses are added, one backward pass.
  # The class brings forward(x, p) -> outputs and losses(o, y, w) -> one loss per task, and predictions(o) -> (B, K).

  def setup(self: __torch__.MODEL, p: List[Tensor], m: List[Tensor], v: List[Tensor], steps: List[Tensor]) -> Tensor:
    self.p = p
    self.m = m
    self.v = v
    self.steps = steps
    return torch.zeros([1])

  def step(self: __torch__.MODEL, e: List[Tensor], indices: List[Tensor], offsets: List[Tensor], y: Tensor, w: Tensor, noise: Tensor, hyper: Tensor) -> List[Tensor]:
    torch.set_grad_enabled(True)
    tables = layers.leaves(e)
    p = layers.leaves(self.p)
    x = layers.embed(tables, indices, offsets, torch.size(y, 0))
    losses = (self).losses((self).forward(x, p, ), y, w, )
    grads = layers.gradients(torch.sum(torch.stack(losses)), p + tables, False)
    torch.set_grad_enabled(False)
    n = len(p)
    norm = layers.adam(self.p, grads[:n], self.m, self.v, self.steps, float(hyper[0]), float(hyper[1]))
    out = annotate(List[Tensor], [torch.stack(losses), norm])
    for g in grads[n:]:
      out.append(g)
    return out

  def predict(self: __torch__.MODEL, e: List[Tensor], indices: List[Tensor], offsets: List[Tensor], shape: Tensor) -> List[Tensor]:
    x = layers.embed(e, indices, offsets, torch.size(shape, 0))
    return [(self).predictions((self).forward(x, self.p, ), )]
