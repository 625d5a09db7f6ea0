"""Calls each model's script in Python as OracleTest called it in the JVM, and compares what it gives."""

import importlib
import json
import pathlib
import sys

import torch
from model import Model

SGD = 2  # Where PyTorch is old it has no fused Adam on the processor; losses and gradients are those of any optimiser.


def model_of(case):
    for script in pathlib.Path(importlib.import_module("model").__file__).parent.glob("*.py"):
        found = getattr(importlib.import_module(script.stem), case["class"], None)
        if found is not None and issubclass(found, Model):
            model = found()
            for name, value in case["attributes"].items():
                setattr(model, name, value)
            return model
    raise SystemExit(f"no script has a class {case['class']}")


def floats(values):
    return [torch.tensor(one, dtype=torch.float32) for one in values]


def close(found, expected, what):
    expected = torch.tensor(expected, dtype=torch.float32)
    found = found.detach().reshape(expected.shape)
    if not torch.allclose(found, expected, rtol=1e-4, atol=1e-5):
        raise SystemExit(f"{what}: {found} in Python, {expected} in the JVM")


def check(case, name):
    model = model_of(case)
    p = [one.reshape(shape) for one, shape in zip(floats(case["p"]), case["shapes"])]
    model.setup(p, floats(case["p"]), floats(case["p"]), [torch.zeros([]) for _ in p])
    indices = [torch.tensor(one, dtype=torch.int64) for one in case["indices"]]
    offsets = [torch.tensor(one, dtype=torch.int64) for one in case["offsets"]]
    rows = floats(case["e"]), indices, offsets, floats(case["weights"])
    y, w, reached, noise = floats([case[key] for key in ("y", "w", "reached", "noise")])
    close(model.predict(*rows, torch.zeros([len(y)]))[0], case["predictions"], f"{name}: predictions")
    hyper = torch.tensor(case["hyper"], dtype=torch.float32)
    hyper[model.hyper_names.index("optimizer")] = SGD
    losses, _, said, *gradients = model.step(*rows, y, w, reached, torch.tensor(case["same"]), noise, hyper)
    close(losses, case["losses"], f"{name}: losses")
    close(said, case["said"], f"{name}: predictions of the step")
    for i, gradient in enumerate(gradients):
        close(gradient.reshape([-1]), case["gradients"][i], f"{name}: gradients of table {i}")


def main(folder):
    cases = sorted(pathlib.Path(folder).glob("*.json"))
    if not cases:
        raise SystemExit(f"{folder} has no cases: OracleTest writes them")
    for path in cases:
        check(json.loads(path.read_text()), path.stem)
    print(f"the scripts give in Python, in {len(cases)} cases, what they give in the JVM (PyTorch {torch.__version__})")


main(sys.argv[1])
