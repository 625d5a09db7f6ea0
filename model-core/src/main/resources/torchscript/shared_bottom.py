# Shared-Bottom: one MLP for all tasks, one tower per task (docs/models/shared-bottom.md). learner.py follows.
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

  def forward(self: __torch__.SharedBottom, x: Tensor, p: List[Tensor]) -> List[Tensor]:
    s = x
    for i in range(self.bottom):
      s = torch.relu(layers.linear(s, p, 2 * i))
    out = annotate(List[Tensor], [])
    for k in range(self.tasks):
      hidden = layers.tower(s, p, 2 * self.bottom + k * (2 * self.depth + 2), self.depth)
      out.append(hidden[self.depth])
    return out

  def losses(self: __torch__.SharedBottom, o: List[Tensor], y: Tensor, w: Tensor) -> List[Tensor]:
    return layers.losses(o, self.binary, y, w)

  def predictions(self: __torch__.SharedBottom, o: List[Tensor]) -> Tensor:
    return layers.predictions(o, self.binary)

