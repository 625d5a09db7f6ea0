# ESMM, extended to a chain of T steps (docs/models/esmm.md). The plain step follows.
# o_t is the log-odds of step t given step t - 1; what is learnt and predicted is q_t = sigma(o_1) ... sigma(o_t).
class Esmm(Module):
  depth : int

  def forward(self: __torch__.Esmm, x: Tensor, f: Tensor, p: List[Tensor]) -> List[Tensor]:
    out = annotate(List[Tensor], [])
    for k in range(self.tasks):
      hidden = layers.tower(x, p, k * (2 * self.depth + 2), self.depth)
      out.append(layers.wide(hidden[self.depth], f, k, self.binary))
    return layers.chain(out, self.binary, False)

  def losses(self: __torch__.Esmm, o: List[Tensor], y: Tensor, w: Tensor, reached: Tensor) -> List[Tensor]:
    return layers.log_losses(o, self.binary, y, w, self.amount, self.delta)

  def predictions(self: __torch__.Esmm, o: List[Tensor]) -> Tensor:
    return layers.log_predictions(o, self.binary, self.amount)

