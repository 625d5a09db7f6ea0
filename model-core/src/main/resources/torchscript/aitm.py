# AITM: adaptive information transfer along the chain, KDD 2021 (docs/models/aitm.md). learner.py follows.
# Order of p: one bottom per task; per later task transfer, value, query, key (k, k); towers.
class Aitm(Module):
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
  penalty : float

  def transfer(self: __torch__.Aitm, before: Tensor, own: Tensor, p: List[Tensor], at: int) -> Tensor:
    # Attention over the pair {what the previous task passes on, the task's own}: (B, k).
    pair = annotate(List[Tensor], [torch.relu(layers.linear(before, p, at)), own])
    values = annotate(List[Tensor], [])
    scores = annotate(List[Tensor], [])
    for u in pair:
      values.append(layers.linear(u, p, at + 2))
      q = layers.linear(u, p, at + 4)
      k = layers.linear(u, p, at + 6)
      scores.append(torch.div(torch.sum(torch.mul(q, k), 1), float(torch.size(u, 1)) ** 0.5))
    a = torch.softmax(torch.stack(scores, 1), 1)
    return torch.sum(torch.mul(torch.unsqueeze(a, 2), torch.stack(values, 1)), 1)

  def forward(self: __torch__.Aitm, x: Tensor, p: List[Tensor]) -> List[Tensor]:
    units = 2 * self.bottom * self.tasks
    towers = units + 8 * (self.tasks - 1)
    out = annotate(List[Tensor], [])
    previous = x
    for t in range(self.tasks):
      h = x
      for i in range(self.bottom):
        h = torch.relu(layers.linear(h, p, 2 * (t * self.bottom + i)))
      if t > 0:
        h = (self).transfer(previous, h, p, units + 8 * (t - 1), )
      previous = h
      hidden = layers.tower(h, p, towers + t * (2 * self.depth + 2), self.depth)
      out.append(hidden[self.depth])
    return out

  def losses(self: __torch__.Aitm, o: List[Tensor], y: Tensor, w: Tensor) -> List[Tensor]:
    # A step that is likelier than the one before it is penalised, on the rows that the step's loss counts.
    plain = layers.losses(o, self.binary, y, w)
    out = annotate(List[Tensor], [plain[0]])
    for t in range(1, self.tasks):
      l = plain[t]
      if t < self.binary:
        over = torch.relu(torch.sub(torch.sigmoid(o[t]), torch.sigmoid(o[t - 1])))
        over = torch.div(torch.sum(torch.mul(over, torch.select(w, 1, t))), torch.size(y, 0))
        l = torch.add(l, torch.mul(over, self.penalty))
      out.append(l)
    return out

  def predictions(self: __torch__.Aitm, o: List[Tensor]) -> Tensor:
    return layers.predictions(o, self.binary)

