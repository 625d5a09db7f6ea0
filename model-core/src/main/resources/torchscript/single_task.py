# Single-task: rows and a tower for each task, nothing shared (docs/models/single-task.md). The plain step follows.
# x holds each task's embeddings one after the other, E floats for a task.
class SingleTask(Module):
  inputs : int
  depth : int

  def forward(self: __torch__.SingleTask, x: Tensor, f: Tensor, p: List[Tensor]) -> List[Tensor]:
    out = annotate(List[Tensor], [])
    for k in range(self.tasks):
      own = torch.narrow(x, 1, k * self.inputs, self.inputs)
      hidden = layers.tower(own, p, k * (2 * self.depth + 2), self.depth)
      out.append(layers.wide(hidden[self.depth], f, k, self.binary))
    return out

  def losses(self: __torch__.SingleTask, o: List[Tensor], y: Tensor, w: Tensor, reached: Tensor) -> List[Tensor]:
    return layers.losses(o, self.binary, y, w, self.amount, self.delta)

  def predictions(self: __torch__.SingleTask, o: List[Tensor]) -> Tensor:
    return layers.predictions(o, self.binary, self.amount)

