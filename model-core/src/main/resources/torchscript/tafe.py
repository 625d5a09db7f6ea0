# TAFE: task aware feature extraction, RecSys 2023 (docs/models/tafe.md; everything below the abstract is our
# reading). The plain step follows. F fields of d floats, G groups of n seeds. Order of p: seeds (n, d) for each group,
# their mix (1,) each; feed-forward (in, out); squeeze, excitation; selector (task indicator and field means to
# fields), one task indicator (1, c) per task; towers; where fields differ in size, a map of each size into d, (size, d).
class Tafe(Module):
  fields : int
  dim : int
  sizes : List[int]
  counts : List[int]
  groups : int
  depth : int
  path : bool
  stop : bool
  softmax : bool
  reconstruct : bool
  select : bool

  def sized(self: __torch__.Tafe, e: Tensor, p: List[Tensor]) -> Tensor:
    # (B, E) to (B, F, d): counts[s] fields of sizes[s] floats lie one after the other.
    batch = torch.size(e, 0)
    n = len(self.sizes)
    parts = annotate(List[Tensor], [])
    at = 0
    for s in range(n):
      width = self.counts[s] * self.sizes[s]
      part = torch.reshape(torch.slice(e, 1, at, at + width), [batch, self.counts[s], self.sizes[s]])
      if n > 1:
        part = torch.matmul(part, p[self.dense - n + s])
      parts.append(part)
      at = at + width
    return torch.cat(parts, 1)

  def represent(self: __torch__.Tafe, x: Tensor, p: List[Tensor]) -> Tensor:
    # Sample-wise representation generator: set attention over the fields through a few learnt seeds, linear in F,
    # then squeeze-and-excitation with one gate per field and sample. (B, F, d) to (B, F, d). Nothing is normalised: a
    # row that was seen little is small and says little, and would say as much as any other.
    mixed = x
    for g in range(self.groups):
      seen = layers.attention(p[g], x)
      mixed = torch.add(mixed, torch.mul(layers.attention(x, seen), p[self.groups + g]))
    at = 2 * self.groups
    inner = torch.relu(torch.add(torch.matmul(mixed, p[at]), p[at + 1]))
    h = torch.add(mixed, torch.add(torch.matmul(inner, p[at + 2]), p[at + 3]))
    gate = (self).gate(layers.linear(torch.relu(layers.linear(torch.mean(h, [2]), p, at + 4)), p, at + 6), )
    return torch.mul(torch.unsqueeze(gate, 2), h)

  def gate(self: __torch__.Tafe, x: Tensor) -> Tensor:
    # 0 to 2: one that prefers nothing changes nothing.
    return torch.mul(torch.sigmoid(x), 2.)

  def selection(self: __torch__.Tafe, x: Tensor, p: List[Tensor], at: int) -> Tensor:
    # (B, F). The softmax is multiplied by F, so that a selector that prefers nothing changes nothing.
    s = layers.linear(x, p, at)
    if self.softmax:
      s = torch.mul(torch.softmax(s, 1), float(self.fields))
    else:
      s = (self).gate(s, )
    return s

  def forward(self: __torch__.Tafe, e: Tensor, f: Tensor, p: List[Tensor]) -> List[Tensor]:
    batch = torch.size(e, 0)
    x = (self).sized(e, p, )
    if self.reconstruct:
      x = (self).represent(x, p, )
    means = torch.mean(x, [2])
    at = 2 * self.groups + 8
    towers = at + 2 + self.tasks
    out = annotate(List[Tensor], [])
    for t in range(self.tasks):
      h = x
      if self.select:
        # Pattern selector: which fields this task looks at, for this sample.
        indicator = torch.expand(p[at + 2 + t], [batch, -1])
        s = (self).selection(torch.cat([indicator, means], 1), p, at, )
        h = torch.mul(torch.unsqueeze(s, 2), x)
      hidden = layers.tower(torch.reshape(h, [batch, -1]), p, towers + t * (2 * self.depth + 2), self.depth)
      out.append(layers.wide(hidden[self.depth], f, t, self.binary))
    return out

  def losses(self: __torch__.Tafe, o: List[Tensor], y: Tensor, w: Tensor, reached: Tensor) -> List[Tensor]:
    if self.path:
      # (B) Likelihood of the path: each step's own probability, where the step before happened.
      out = layers.losses(o, self.binary, y, layers.reaching(self.binary, w, reached), self.amount, self.delta)
    else:
      # (A) Every step's probability from the impression on, over all impressions.
      out = layers.log_losses(layers.chain(o, self.binary, self.stop), self.binary, y, w, self.amount, self.delta)
    return out

  def predictions(self: __torch__.Tafe, o: List[Tensor]) -> Tensor:
    return layers.log_predictions(layers.chain(o, self.binary, False), self.binary, self.amount)

