# Shared-Bottom: one MLP for all tasks, one tower per task (docs/models/shared-bottom.md). The plain step follows.
class SharedBottom(Module):
  bottom : int
  depth : int

  def forward(self: __torch__.SharedBottom, x: Tensor, f: Tensor, p: List[Tensor]) -> List[Tensor]:
    s = layers.mlp(x, p, 0, self.bottom)
    out = annotate(List[Tensor], [])
    for k in range(self.tasks):
      hidden = layers.tower(s, p, 2 * self.bottom + k * (2 * self.depth + 2), self.depth)
      out.append(layers.wide(hidden[self.depth], f, k, self.binary))
    return out

  def losses(self: __torch__.SharedBottom, o: List[Tensor], y: Tensor, w: Tensor, reached: Tensor) -> List[Tensor]:
    return layers.losses(o, self.binary, y, w, self.amount, self.delta)

  def predictions(self: __torch__.SharedBottom, o: List[Tensor]) -> Tensor:
    return layers.predictions(o, self.binary, self.amount)

