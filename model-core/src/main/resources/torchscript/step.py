  # Appended to the class of every model whose step is the plain one: all losses are added, one backward pass.
  # The class brings forward(x, p) -> outputs and losses(o, y, w, reached) -> one loss per task.
  def step(self: __torch__.MODEL, e: List[Tensor], indices: List[Tensor], offsets: List[Tensor], weights: List[Tensor], y: Tensor, w: Tensor, reached: Tensor, same: Tensor, noise: Tensor, hyper: Tensor) -> List[Tensor]:
    torch.set_grad_enabled(True)
    tables = layers.leaves(e)
    p = layers.leaves(self.p)
    x = layers.embed(tables, indices, offsets, weights, torch.size(y, 0), self.first, self.sets, p, self.units, self.dense)
    losses = (self).losses((self).forward(x[0], x[1], p, ), y, w, reached, )
    grads = layers.gradients(torch.sum(torch.stack(losses)), p + tables, False)
    torch.set_grad_enabled(False)
    n = len(p)
    norm = layers.update(self.p, grads[:n], self.m, self.v, self.steps, losses, grads[n:], hyper)
    return layers.report(losses, norm, grads[n:])
