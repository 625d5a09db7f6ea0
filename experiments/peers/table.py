"""Freshet's models beside plain online learners: the same examples in the same order, the same labels, the same metrics.

./experiments/peers/run [FILE...] [--batch 16,64] [--embeddings 0.05,0.1] [--dense 1e-3] [--seeds 1,2,3]
"""

import argparse
import datetime
import gzip
import itertools
import json
import math
import pathlib
import subprocess
import sys

import numpy as np
import orjson
import yaml
from scipy.sparse import csr_matrix

import learners
import metrics

HERE = pathlib.Path(__file__).resolve().parent
HOME = HERE.parent.parent
DAY = 24 * 60 * 60 * 1000


class Examples:
    """An examples file as arrays. A weight of its own for each value; numbers by half powers of two."""

    def __init__(self, file, about):
        self.tasks = about["tasks"]
        count = 0
        ids, known, keys, starts = {}, {}, [], [0]
        firsts, times = [], []
        values = [[] for _ in self.tasks]
        weights = [[] for _ in self.tasks]
        finals = [[] for _ in self.tasks]
        with gzip.open(file) as lines:
            for i, line in enumerate(lines):
                example = orjson.loads(line)
                firsts.append(ids.setdefault(example["impression_id"], i))
                times.append(example["event_time"])
                keys.append(0)
                for field, value in example["features"].items():
                    for one in value if isinstance(value, list) else (value,):
                        # Of a value with a weight, the value.
                        one = one[0] if isinstance(one, list) else one
                        keys.append(known.setdefault((field, bucket(one)), len(known) + 1))
                starts.append(len(keys))
                for t, task in enumerate(self.tasks):
                    label = example["labels"].get(task["name"])
                    values[t].append(label["value"] if label else 0.0)
                    weights[t].append(label["weight"] if label else 0.0)
                    finals[t].append(bool(label) and label["final"])
        self.first_of = np.array(firsts, dtype=np.int64)
        self.times = np.array(times, dtype=np.int64)
        self.keys = np.array(keys, dtype=np.int64)
        self.starts = np.array(starts, dtype=np.int64)
        self.size = len(known) + 1
        self.values = [np.array(v, dtype=np.float64) for v in values]
        self.weights = [np.array(w, dtype=np.float64) for w in weights]
        self.finals = [np.array(f, dtype=bool) for f in finals]

    def binary(self, task):
        return self.tasks[task]["kind"] == "binary"

    def labels(self, task):
        return self.values[task], self.weights[task]

    def nothing(self):
        return np.full(len(self.first_of), np.nan)

    def matrix(self):
        return csr_matrix((np.ones(len(self.keys)), self.keys, self.starts), (len(self.first_of), self.size))


def bucket(value):
    if isinstance(value, str):
        return value
    return math.copysign(math.floor(2 * math.log2(1 + abs(value))), value)


def day(text):
    return datetime.datetime.fromisoformat(text + "T00:00+00:00").timestamp() * 1000


def scored(examples, run, task, skip):
    """Which examples bear a label of the task that counts: final, of the days that are scored, after the first ones."""
    where = examples.finals[task].copy()
    where[np.flatnonzero(where)[:skip]] = False
    if run["scoredFrom"]:
        where &= examples.times >= day(run["scoredFrom"])
    if run["scoredTo"]:
        where &= examples.times < day(run["scoredTo"]) + DAY
    return where


def measure(examples, task, where, said, constant):
    """Said and constant are told at the labels."""
    said = np.where(np.isnan(said), constant, said)
    good = where & np.isfinite(said)
    return (metrics.binary if examples.binary(task) else metrics.amount)(said[good], examples.values[task][good])


def peers(examples, task, where, constant, quick):
    """The best setting of each learner, by what its loss is over all of the scored labels: tuned in hindsight."""
    best = {}
    for name, setting, run in learners.candidates(examples, task, quick):
        found = measure(examples, task, where, run()[examples.first_of], constant)
        loss = found.get("ne" if examples.binary(task) else "nrmse", math.inf)
        if not math.isfinite(loss):
            continue
        if name not in best or loss < best[name][0]:
            best[name] = (loss, setting, found)
    return best


def experiment(file, options, out):
    """The experiment of a file, with further variants if asked for, run by Freshet."""
    content = yaml.safe_load(file.read_text())
    axes = [
        ("batch", lambda v: {"batch": int(v)}, options.batch),
        ("dense", lambda v: {"dense": {"rate": float(v)}}, options.dense),
        ("embeddings", lambda v: {"embeddings": {"rate": float(v)}}, options.embeddings),
    ]
    axes = [[(f"{name} {v}", make(v)) for v in given.split(",")] for name, make, given in axes if given]
    if axes:
        variants = []
        for one in content.pop("variants", None) or [{"name": "", "override": {}}]:
            variants.append({**one, "name": one["name"] or "default"})
            for choice in itertools.product(*axes):
                training = dict(one.get("override", {}).get("training", {}))
                for _, change in choice:
                    training.update(change)
                override = {**one.get("override", {}), "training": training}
                name = " ".join([one["name"], *(n for n, _ in choice)]).strip()
                variants.append({**one, "name": name, "override": override})
        content["variants"] = variants
    if options.seeds:
        content["seeds"] = [int(seed) for seed in options.seeds.split(",")]
    if isinstance(content["pipeline"], str):
        content["pipeline"] = str((file.parent / content["pipeline"]).resolve())
    out.mkdir(parents=True, exist_ok=True)
    made = out / "experiment.yaml"
    made.write_text(json.dumps(content, indent=1))  # which is YAML too
    command = [str(HOME / "freshet"), "experiment", "--file", str(made), "--out", str(out), "--write-examples"]
    with open(out / "log.txt", "w") as log:
        done = subprocess.run(command, cwd=HOME, stdout=log, stderr=subprocess.STDOUT)
    if done.returncode:
        sys.exit((out / "log.txt").read_text()[-2000:] + f"\n{file}: the experiment failed")


def line(row, task, found, binary):
    def text(key, digits=4):
        return f"{found[key]:.{digits}f}" if key in found else "-"

    first = (text("auc"), text("ne")) if binary else (text("spearman"), text("nrmse"))
    return f"| {row} | {task} | {found['labels']} | {found['positives']} | {first[0]} | {first[1]} | {text('calibration', 3)} |"


def tables(out, skip, quick):
    told = json.loads((out / "runs.json").read_text())
    for run in told.get("diverged", []):
        print(f"{run['model']}, seed {run['seed']}, {run['why']}\n")
    rows = []
    for about in told["examples"]:
        examples = Examples(out / about["file"], about)
        runs = [r for r in told["runs"] if r["examples"] == about["file"]]
        print(f"\n### {told['experiment']}, seed {about['seed']}, {about['file']}: {len(examples.times)} examples\n")
        print("| learner | task | labels | positive | AUC or Spearman | NE or NRMSE | calibration |")
        print("| --- | --- | --- | --- | --- | --- | --- |")
        for task, named in enumerate(examples.tasks):
            binary = examples.binary(task)
            # At its label, so it is known even where nothing was when the impression came.
            late = learners_at_label(examples, task)
            where = scored(examples, runs[0], task, skip)
            if not where.any():
                print(f"| no label is scored | {named['name']} | 0 | 0 | - | - | - |")
                continue
            found = measure(examples, task, where, learners.base(examples, task)[examples.first_of], late)
            rows.append((about, "base rate", named["name"], found, ""))
            print(line("running base rate", named["name"], found, binary))
            for name, (_, setting, found) in peers(examples, task, where, late, quick).items():
                setting = ", ".join(f"{k} {v}" for k, v in setting.items())
                rows.append((about, name, named["name"], found, setting))
                print(line(f"{name} ({setting})", named["name"], found, binary))
            if about.get("served"):
                said = np.load(out / about["served"])[:, task].astype(np.float64)
                found = measure(examples, task, where, said, late)
                rows.append((about, "served", named["name"], found, ""))
                print(line("as it was served (simulated: the truth)", named["name"], found, binary))
            for run in runs:
                said = np.load(out / run["predictions"])[:, task].astype(np.float64)
                found = measure(examples, task, where, said, late)
                found["seconds"] = run["seconds"]
                rows.append((about | {"seed": run["seed"]}, run["model"], named["name"], found, ""))
                print(line(f"**{run['model']}**", named["name"], found, binary))
        sys.stdout.flush()
    streams = {run["examples"]: run["model"].rpartition("/")[0] for run in told["runs"]}
    rows = [
        {"experiment": told["experiment"], "stream": streams.get(a["file"], ""), "examples": a["file"], "seed": a["seed"]}
        | {"learner": r.rpartition("/")[2], "task": t, "setting": s, **{k: float(v) for k, v in f.items()}}
        for a, r, t, f, s in rows
    ]
    with open(out / "peers.json", "w") as file:
        json.dump(rows, file, indent=1)
    return rows


def together(rows):
    """One line for each stream and task: means over the seeds, and how far each model's loss is from the linear learner's."""
    models = list(dict.fromkeys(r["learner"] for r in rows if r["learner"] not in ("base rate", "served", *learners.NAMES)))
    print("\n### Means over seeds: AUC and NE, of amounts Spearman and NRMSE; in brackets a model's NE or NRMSE minus that of the linear learner\n")
    print("| stream | task | labels | positive | running base rate | linear |", " | ".join(models), "|")
    print("| --- | --- | --- | --- | --- | --- |" + " --- |" * len(models))
    for key in dict.fromkeys((r["experiment"], r["stream"], r["task"]) for r in rows):
        of = [r for r in rows if (r["experiment"], r["stream"], r["task"]) == key]
        rank, loss = ("auc", "ne") if any("ne" in r for r in of) else ("spearman", "nrmse")
        base = [r for r in of if r["learner"] == "base rate"]
        # Files are the same examples for all seeds, simulated streams one for each.
        linear = {}
        for r in of:
            if r["learner"] in learners.NAMES and r[loss] < linear.get(r["examples"], r | {loss: math.inf})[loss]:
                linear[r["examples"]] = r

        def cell(rows):
            return f"{np.mean([r[rank] for r in rows]):.4f}, {np.mean([r[loss] for r in rows]):.4f}"

        cells = [f"{key[0]} {key[1]}".strip(), key[2]]
        cells += [f"{np.mean([r[name] for r in base]):.0f}" for name in ("labels", "positives")]
        cells += [f"{np.mean([r[loss] for r in base]):.4f}", cell(linear.values())]
        for model in models:
            runs = [r for r in of if r["learner"] == model]
            less = [r[loss] - linear[r["examples"]][loss] for r in runs]
            error = f" ± {np.std(less, ddof=1) / math.sqrt(len(less)):.4f}" if len(less) > 1 else ""
            cells.append(f"{cell(runs)} ({np.mean(less):+.4f}{error})" if runs else "-")
        print("| " + " | ".join(cells) + " |")


def learners_at_label(examples, task):
    """What the running base rate is just before each label."""
    say = examples.nothing()
    value, weight = examples.labels(task)
    each = np.arange(len(value))
    (learners._running_rate if examples.binary(task) else learners._running_mean)(value, weight, each, say)
    return say


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=pathlib.Path, help="experiments; by default all of this folder")
    parser.add_argument("--skip", type=int, default=1000, help="so many first labels of each task are not scored")
    parser.add_argument("--quick", action="store_true", help="a smaller grid for the peers")
    parser.add_argument("--again", action="store_true", help="only the tables, of what was run before")
    parser.add_argument("--out", type=pathlib.Path, default=HOME / ".freshet" / "peers")
    parser.add_argument("--seeds", help="instead of the file's, separated by commas")
    for axis in ("batch", "dense", "embeddings"):
        parser.add_argument("--" + axis, help="further values to try, separated by commas")
    options = parser.parse_args()
    rows = []
    for file in options.files or sorted(HERE.glob("*.yaml")):
        out = options.out / file.stem
        if not options.again:
            experiment(file.resolve(), options, out)
        rows += tables(out, options.skip, options.quick)
    together(rows)


if __name__ == "__main__":
    main()
