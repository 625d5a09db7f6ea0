  # Appended to the class of every model.
  def setup(self: __torch__.MODEL, p: List[Tensor], m: List[Tensor], v: List[Tensor], steps: List[Tensor]) -> Tensor:
    # Weights, the moments of Adam or what else the optimiser keeps, and step counters, which the steps change in place.
    self.p = p
    self.m = m
    self.v = v
    self.steps = steps
    return torch.zeros([1], dtype=6, layout=0, device=torch.device("cpu"))
