# MMoE: experts shared by all tasks, one softmax gate per task (docs/models/mmoe.md). learner.py follows.
# Order of p: experts (layers each), gates (one linear each), towers.
class MMoE(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  p : List[Tensor]
  m : List[Tensor]
  v : List[Tensor]
  steps : List[Tensor]
  tasks : int
  binary : int
  experts : int
  layers_each : int
  depth : int

  def forward(self: __torch__.MMoE, x: Tensor, p: List[Tensor]) -> List[Tensor]:
    mixed = annotate(List[Tensor], [])
    for k in range(self.experts):
      h = x
      for i in range(self.layers_each):
        h = torch.relu(layers.linear(h, p, 2 * (k * self.layers_each + i)))
      mixed.append(h)
    m = torch.stack(mixed, 1)
    gates = 2 * self.experts * self.layers_each
    towers = gates + 2 * self.tasks
    out = annotate(List[Tensor], [])
    for t in range(self.tasks):
      gate = torch.softmax(layers.linear(x, p, gates + 2 * t), 1)
      s = torch.sum(torch.mul(torch.unsqueeze(gate, 2), m), 1)
      hidden = layers.tower(s, p, towers + t * (2 * self.depth + 2), self.depth)
      out.append(hidden[self.depth])
    return out

  def losses(self: __torch__.MMoE, o: List[Tensor], y: Tensor, w: Tensor) -> List[Tensor]:
    return layers.losses(o, self.binary, y, w)

  def predictions(self: __torch__.MMoE, o: List[Tensor]) -> Tensor:
    return layers.predictions(o, self.binary)

