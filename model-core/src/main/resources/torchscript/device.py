# What a model has besides where its weights are on a device with memory of its own. The host hands over and is handed
# memory of the host alone: what crosses is copied here.
from typing import List

import layers
import torch
from model import Model
from torch import Tensor


class OnDevice(Model):
    device: str
    pinned: bool
    mirrored: List[int]
    inbox: List[Tensor]
    kept: List[Tensor]
    batch_e: List[Tensor]
    batch_indices: List[Tensor]
    batch_offsets: List[Tensor]
    batch_weights: List[Tensor]

    def device_setup(self, p: List[Tensor], m: List[Tensor], v: List[Tensor], steps: List[Tensor]) -> Tensor:
        return self.setup(
            layers.onto(p, self.device),
            layers.onto(m, self.device),
            layers.onto(v, self.device),
            layers.onto(steps, self.device),
        )

    def device_reserve(self, words: Tensor) -> List[Tensor]:
        # The inbox: words of 8 bytes on the host, which it fills before a call; pinned where transfers are faster from
        # there.
        size = int(words[0])
        self.inbox = [
            torch.empty([size], dtype=words.dtype, device=torch.device("cpu"), pin_memory=self.pinned)
        ]
        return self.inbox

    def device_tensor(self, group: int, place: int) -> Tensor:
        return [self.p, self.m, self.v, self.steps][group][place]

    def device_get(self, at: Tensor) -> List[Tensor]:
        # at: a group's number and a tensor's place in it.
        return layers.to_host([self.device_tensor(int(at[0]), int(at[1]))], self.pinned)

    def device_put(self, at: Tensor, values: Tensor) -> List[Tensor]:
        # at: as in device_get, and which of the tensor's values is the first to be replaced.
        flat = self.device_tensor(int(at[0]), int(at[1])).view([-1])
        flat.narrow(0, int(at[2]), values.numel()).copy_(values)
        return self.nothing()

    def nothing(self) -> List[Tensor]:
        return [torch.zeros([0], device=torch.device("cpu"))]

    def device_receive(self, plan: Tensor) -> List[Tensor]:
        # Brings the inbox's first words onto the device in one transfer, which is over when it goes on, and gives the
        # arguments that are no lists. plan: words to transfer, 1 if the lists are those of another batch than before,
        # number of tensors; then of each what it is (0 to 3: of the lists; 4: an argument; 5: one that stays on the
        # host; 6: the mirrored weights), 1 for integers or 0 for floats, rows, columns or -1, words.
        said: List[int] = plan.tolist()
        inbox = self.inbox[0]
        here = inbox.narrow(0, 0, said[0]).to(torch.device(self.device), copy=True)
        lists: List[List[Tensor]] = [[], [], [], []]
        out: List[Tensor] = []
        at = 0
        for i in range(said[2]):
            what, whole, rows, columns, words = said[3 + 5 * i : 8 + 5 * i]
            part = (inbox if what == 5 else here).narrow(0, at, words)
            at = at + words
            if whole == 0:
                size = rows * columns if columns >= 0 else rows
                part = torch.view_copy(part, dtype=self.steps[0].dtype).narrow(0, 0, size)
            if columns >= 0:
                part = part.reshape([rows, columns])
            if what < 4:
                lists[what].append(part)
            elif what < 6:
                out.append(part)
            else:
                first = 0
                for place in self.mirrored:
                    flat = self.p[place].view([-1])
                    flat.copy_(part.narrow(0, first, flat.numel()))
                    first = first + flat.numel()
        if said[1] == 1:
            self.batch_e = lists[0]
            self.batch_indices = lists[1]
            self.batch_offsets = lists[2]
            self.batch_weights = lists[3]
        return out

    def device_step(self, plan: Tensor) -> List[Tensor]:
        # The mirrored weights come last: the host knows them without asking.
        y, w, reached, same, noise, hyper = self.device_receive(plan)
        out = self.step(
            self.batch_e,
            self.batch_indices,
            self.batch_offsets,
            self.batch_weights,
            y,
            w,
            reached,
            same,
            noise,
            hyper,
        )
        return layers.to_host(out + [self.p[place] for place in self.mirrored], self.pinned)

    def device_predict(self, plan: Tensor) -> List[Tensor]:
        shape = self.device_receive(plan)[0]
        out = self.predict(
            self.batch_e, self.batch_indices, self.batch_offsets, self.batch_weights, shape
        )
        return layers.to_host(out, self.pinned)

    def device_inspect(self, plan: Tensor) -> List[Tensor]:
        shape = self.device_receive(plan)[0]
        out = self.inspect(
            self.batch_e, self.batch_indices, self.batch_offsets, self.batch_weights, shape
        )
        return layers.to_host(out, self.pinned)

    def device_keep(self, plan: Tensor) -> List[Tensor]:
        self.device_receive(plan)
        self.kept = layers.onto(self.p, self.device)
        return self.nothing()

    def device_swap(self, plan: Tensor) -> List[Tensor]:
        # The weights stay the tensors that they are; what is in them changes places with what was kept.
        self.device_receive(plan)
        now = layers.onto(self.p, self.device)
        for weight, kept in zip(self.p, self.kept):
            weight.copy_(kept)
        self.kept = now
        return self.nothing()
