  # Appended to the class of every model that predicts as it learns; it brings predictions(o) -> (B, K).
  def predict(self: __torch__.MODEL, e: List[Tensor], indices: List[Tensor], offsets: List[Tensor], weights: List[Tensor], shape: Tensor) -> List[Tensor]:
    x = layers.embed(e, indices, offsets, weights, torch.size(shape, 0), self.first, self.sets, self.p, self.units, self.dense)
    return [(self).predictions((self).forward(x[0], x[1], self.p, ), )]
