"""The learning step of a model in plain PyTorch, on what the benchmark wrote: docs/performance.md says what it does.

    step.py FOLDER THREADS     then on the standard input, line by line:  check | step N
"""

import importlib
import inspect
import json
import pathlib
import sys
import time
import typing

import layers
import torch
from model import Model


class Files:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def read(self, name, dtype, *shape):
        values = torch.frombuffer(bytearray((self.folder / name).read_bytes()), dtype=dtype)
        return values.reshape(shape) if shape else values

    def floats(self, name, *shape):
        return self.read(name + ".f32", torch.float32, *shape)

    def longs(self, name, *shape):
        return self.read(name + ".i64", torch.int64, *shape)


def network(archive):
    """The script's class as Python imports it, in eager mode, with the archive's settings; and the dense weights."""
    script = torch.jit.load(str(archive))
    for file in pathlib.Path(inspect.getfile(Model)).parent.glob("*.py"):
        found = getattr(importlib.import_module(file.stem), script.original_name, None)
        if found is not None:
            model = found()
            names = typing.get_type_hints(found)
            for name in names:
                if name not in ("p", "m", "v", "steps"):
                    setattr(model, name, getattr(script, name))
            return model, [one.detach().clone() for one in script.p]
    raise SystemExit(f"no script has a class {script.original_name}")


class Batch:
    def __init__(self, files, number, fields):
        name = f"batch-{number}-"
        self.rows = files.longs(name + "rows")
        self.size = len(self.rows) // fields
        self.offsets = torch.empty(0, dtype=torch.int64)  # each bag is one row
        per = [files.floats(name + one).reshape([self.size, -1]) for one in ("y", "w", "reached")]
        self.arguments = [
            *per,
            files.longs(name + "same"),
            files.floats(name + "noise").reshape([self.size, -1]),
            files.floats(name + "hyper"),
        ]


class Rows:
    """All rows of a table, and row-wise Adagrad on those of a batch."""

    def __init__(self, values, settings):
        self.values = values
        self.dim = settings["dim"]
        self.rate, self.start, self.first_rate = settings["rate"], settings["start"], settings["first_rate"]
        self.squares = torch.zeros(len(values))
        self.first_squares = torch.zeros(len(values), values.size(1) - self.dim)

    def update(self, rows, before, mean, examples):
        gradient = mean * examples
        own, first = gradient[:, : self.dim], gradient[:, self.dim :]
        squares = self.squares[rows] + own.square().mean(1)
        self.squares[rows] = squares
        steps = own * (self.rate * torch.rsqrt(self.start + squares)).unsqueeze(1)
        first_squares = self.first_squares[rows] + first.square()
        self.first_squares[rows] = first_squares
        first_steps = self.first_rate * first / (1 + first_squares.sqrt())
        self.values[rows] = before - torch.cat([steps, first_steps], 1)


class Peer:
    def __init__(self, files):
        self.files = files
        case = json.loads((files.folder / "case.json").read_text())
        self.tables = [
            Rows(files.floats(f"table-{i}").reshape([-1, case["width"]]), case) for i in range(case["tables"])
        ]
        self.batches = [Batch(files, i, case["fields"]) for i in range(case["batches"])]
        self.model, p = network(files.folder / "model.pt")
        self.model.setup(p, [], [], [])
        hyper = layers.named(self.model.hyper_names, self.batches[0].arguments[-1])
        self.optimizer = torch.optim.Adam(
            p, lr=hyper["rate"], eps=hyper["epsilon"], weight_decay=hyper["decay"], fused=True
        )
        self.place = torch.zeros(len(self.tables[0].values), dtype=torch.int64)
        self.none = torch.empty(0)
        self.at = 0
        # The scripts' own update also looks whether all is finite, and clips; this one is PyTorch's optimiser alone.
        layers.update = self.update

    def update(self, p, gradients, m, v, steps, losses, rows, hyper):
        for weight, gradient in zip(p, gradients):
            weight.grad = gradient
        self.optimizer.step()
        return torch.zeros(1)

    def distinct(self, rows):
        """The distinct rows, and for each index its place among them: without sorting, for the table is known."""
        order = torch.arange(len(rows))
        self.place[rows] = order
        winner = self.place[rows]
        mine = winner == order
        number = mine.cumsum(0) - 1
        return rows[mine], number[winner]

    def step(self, batch):
        rows, inverse = self.distinct(batch.rows)
        values = [table.values[rows] for table in self.tables]
        n = len(self.tables)
        out = self.model.step(
            values, [inverse] * n, [batch.offsets] * n, [self.none] * n, *batch.arguments
        )
        for table, before, gradient in zip(self.tables, values, out[3:]):
            table.update(rows, before, gradient, batch.size)
        return rows, out

    def steps(self, times):
        wall, cpu = time.perf_counter(), time.thread_time()
        for _ in range(times):
            self.step(self.batches[self.at % len(self.batches)])
            self.at += 1
        return {
            "wall": (time.perf_counter() - wall) * 1e3 / times,
            "cpu": (time.thread_time() - cpu) * 1e3 / times,
        }

    def check(self):
        rows, out = self.step(self.batches[0])
        forward = (out[2].reshape([-1]) - self.files.floats("said")).abs().max()
        worst = 0.0
        for i, weight in enumerate(self.model.p):
            worst = max(worst, difference(weight.grad.reshape([-1]), self.files.floats(f"dense-{i}")))
        for i, table in enumerate(self.tables):
            ours = torch.zeros_like(table.values)
            ours[self.files.longs(f"gradient-{i}-rows")] = self.files.floats(f"gradient-{i}").reshape(
                [-1, ours.size(1)]
            )
            theirs = torch.zeros_like(ours)
            theirs[rows] = out[3 + i]
            worst = max(worst, difference(theirs, ours))
        return {"version": torch.__version__, "forward": float(forward), "gradient": worst}


def difference(theirs, ours):
    return float((theirs - ours).abs().max() / ours.abs().max().clamp(min=1e-12))


def main(folder, threads):
    torch.set_num_threads(int(threads))
    torch.set_grad_enabled(False)
    peer = Peer(Files(folder))
    for line in sys.stdin:
        words = line.split()
        print(json.dumps(peer.check() if words[0] == "check" else peer.steps(int(words[1]))), flush=True)


main(*sys.argv[1:])
