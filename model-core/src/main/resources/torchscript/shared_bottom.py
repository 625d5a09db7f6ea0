# Shared-Bottom: one MLP for all tasks, one tower per task (docs/models/shared-bottom.md).
class SharedBottom(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  p : List[Tensor]
  m : List[Tensor]
  v : List[Tensor]
  steps : List[Tensor]
  tasks : int
  binary : int
  bottom : int
  depth : int

  def setup(self: __torch__.SharedBottom, p: List[Tensor], m: List[Tensor], v: List[Tensor], steps: List[Tensor]) -> Tensor:
    self.p = p
    self.m = m
    self.v = v
    self.steps = steps
    return torch.zeros([1])

  def forward(self: __torch__.SharedBottom, x: Tensor, p: List[Tensor]) -> List[Tensor]:
    s = x
    for i in range(self.bottom):
      s = torch.relu(layers.linear(s, p, 2 * i))
    out = annotate(List[Tensor], [])
    for k in range(self.tasks):
      hidden = layers.tower(s, p, 2 * self.bottom + k * (2 * self.depth + 2), self.depth)
      out.append(hidden[self.depth])
    return out

  def step(self: __torch__.SharedBottom, e: List[Tensor], indices: List[Tensor], offsets: List[Tensor], y: Tensor, w: Tensor, noise: Tensor, hyper: Tensor) -> List[Tensor]:
    torch.set_grad_enabled(True)
    tables = layers.leaves(e)
    p = layers.leaves(self.p)
    x = layers.embed(tables, indices, offsets, torch.size(y, 0))
    losses = layers.losses((self).forward(x, p, ), self.binary, y, w)
    grads = layers.gradients(torch.sum(torch.stack(losses)), p + tables, False)
    torch.set_grad_enabled(False)
    n = len(p)
    norm = layers.adam(self.p, grads[:n], self.m, self.v, self.steps, float(hyper[0]), float(hyper[1]))
    out = annotate(List[Tensor], [torch.stack(losses), norm])
    for g in grads[n:]:
      out.append(g)
    return out

  def predict(self: __torch__.SharedBottom, e: List[Tensor], indices: List[Tensor], offsets: List[Tensor], shape: Tensor) -> List[Tensor]:
    x = layers.embed(e, indices, offsets, torch.size(shape, 0))
    return [layers.predictions((self).forward(x, self.p, ), self.binary)]
