  # Appended to the class of a model whose weights are on a device with memory of its own. The host hands over and is handed
  # memory of the host alone: what crosses is copied here.
  def device_setup(self: __torch__.MODEL, p: List[Tensor], m: List[Tensor], v: List[Tensor], steps: List[Tensor]) -> Tensor:
    return (self).setup(layers.onto(p, self.device), layers.onto(m, self.device), layers.onto(v, self.device), layers.onto(steps, self.device), )

  def device_reserve(self: __torch__.MODEL, words: Tensor) -> List[Tensor]:
    # The inbox: words of 8 bytes on the host, which it fills before a call; pinned where transfers are faster from there.
    self.inbox = [torch.empty([int(words[0])], dtype=4, layout=0, device=torch.device("cpu"), pin_memory=self.pinned)]
    return self.inbox

  def device_tensor(self: __torch__.MODEL, group: int, place: int) -> Tensor:
    return [self.p, self.m, self.v, self.steps][group][place]

  def device_get(self: __torch__.MODEL, at: Tensor) -> List[Tensor]:
    # at: a group's number and a tensor's place in it.
    return layers.to_host([(self).device_tensor(int(at[0]), int(at[1]), )], self.pinned)

  def device_put(self: __torch__.MODEL, at: Tensor, values: Tensor) -> List[Tensor]:
    # at: as in device_get, and which of the tensor's values is the first to be replaced.
    flat = torch.view((self).device_tensor(int(at[0]), int(at[1]), ), [-1])
    torch.copy_(torch.narrow(flat, 0, int(at[2]), torch.numel(values)), values, False)
    return [torch.zeros([0], dtype=6, layout=0, device=torch.device("cpu"))]

  def device_receive(self: __torch__.MODEL, plan: Tensor) -> List[Tensor]:
    # Brings the inbox's first words onto the device in one transfer, which is over when it goes on, and gives the arguments that are no lists. plan: words to
    # transfer, 1 if the lists are those of another batch than before, number of tensors; then of each what it is (0 to 3: of
    # the lists; 4: an argument; 5: one that stays on the host; 6: the mirrored weights), 1 for integers or 0 for floats, rows,
    # columns or -1, words.
    said = annotate(List[int], plan.tolist())
    inbox = self.inbox[0]
    here = torch.to(torch.narrow(inbox, 0, 0, said[0]), torch.device(self.device), 4, False, True)
    lists = annotate(List[List[Tensor]], [])
    for i in range(4):
      lists.append(annotate(List[Tensor], []))
    out = annotate(List[Tensor], [])
    at = 0
    for i in range(said[2]):
      what = said[3 + 5 * i]
      rows = said[5 + 5 * i]
      columns = said[6 + 5 * i]
      words = said[7 + 5 * i]
      if what == 5:
        part = torch.narrow(inbox, 0, at, words)
      else:
        part = torch.narrow(here, 0, at, words)
      at = at + words
      if said[4 + 5 * i] == 0:
        size = rows
        if columns >= 0:
          size = rows * columns
        part = torch.narrow(torch.view_copy(part, dtype=6), 0, 0, size)
      if columns >= 0:
        part = torch.reshape(part, [rows, columns])
      if what < 4:
        lists[what].append(part)
      elif what < 6:
        out.append(part)
      else:
        first = 0
        for place in self.mirrored:
          flat = torch.view(self.p[place], [-1])
          torch.copy_(flat, torch.narrow(part, 0, first, torch.numel(flat)), False)
          first = first + torch.numel(flat)
    if said[1] == 1:
      self.batch_e = lists[0]
      self.batch_indices = lists[1]
      self.batch_offsets = lists[2]
      self.batch_weights = lists[3]
    return out

  def device_step(self: __torch__.MODEL, plan: Tensor) -> List[Tensor]:
    # The mirrored weights come last: the host knows them without asking.
    a = (self).device_receive(plan, )
    out = (self).step(self.batch_e, self.batch_indices, self.batch_offsets, self.batch_weights, a[0], a[1], a[2], a[3], a[4], a[5], )
    for place in self.mirrored:
      out.append(self.p[place])
    return layers.to_host(out, self.pinned)

  def device_keep(self: __torch__.MODEL, plan: Tensor) -> List[Tensor]:
    a = (self).device_receive(plan, )
    self.kept = layers.onto(self.p, self.device)
    return [torch.zeros([0], dtype=6, layout=0, device=torch.device("cpu"))]

  def device_swap(self: __torch__.MODEL, plan: Tensor) -> List[Tensor]:
    # The weights stay the tensors that they are; what is in them changes places with what was kept.
    a = (self).device_receive(plan, )
    now = layers.onto(self.p, self.device)
    for i in range(len(now)):
      torch.copy_(self.p[i], self.kept[i], False)
    self.kept = now
    return [torch.zeros([0], dtype=6, layout=0, device=torch.device("cpu"))]
