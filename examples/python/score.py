#!/usr/bin/env python3
"""Scores one impression with an exported version of a shared-bottom model, in plain numpy.

    ./freshet models export --model baseline --out weights.safetensors
    python score.py --pipeline shop.yaml --weights weights.safetensors --impression impression.json

Shows all that a reader in another language needs: how values become keys, how keys become rows, and how what the model says
becomes what is served. docs/snapshot-format.md describes the files.
"""

import argparse
import datetime
import itertools
import json
import math
import re
import struct
import zoneinfo
from decimal import Decimal

import numpy as np
import xxhash
import yaml
from safetensors.numpy import load_file


ABSENT = "\0absent"


def xxh3(text, seed=0):
    """Key of a text as a signed 64-bit number: XXH3 over its UTF-16 characters, little-endian."""
    return signed(xxhash.xxh3_64_intdigest(text.encode("utf-16-le"), seed=seed))


def signed(digest):
    """An unsigned 64-bit number as the signed one of the same bits."""
    return digest - (1 << 64) if digest >= 1 << 63 else digest


# The buckets of a count and of a rate that do not say theirs.
COUNT = {"buckets": 50, "from": 2**-5, "to": 2**20, "scale": "log"}
RATE = {"buckets": 40, "from": 2**-10, "to": 1, "scale": "log"}


def key(field, value):
    """Key of a value under the seed of the field whose rows it uses, usually its own; 0 is not a key."""
    name = field["name"] if value == ABSENT else field.get("rows-of", field["name"])
    seed = xxhash.xxh3_64_intdigest(name.encode("utf-16-le"))
    return xxh3(value, seed) or 1


def bucket(field, value):
    """Bucket of a number: by edges, or equally wide or growing ones between `from` and `to`."""
    if field.get("edges"):
        return sum(value >= edge for edge in field["edges"])
    if field["kind"] == "count" and not field.get("buckets"):
        return bucket(dict(field, **(RATE if "per" in field else COUNT)), value)
    low, high, count = float(field.get("from", 0)), float(field.get("to", 1)), field["buckets"]
    if value < low:
        return 0
    if field.get("scale", "linear") == "log":
        part = math.log(value / low) / math.log(high / low)
    else:
        part = (value - low) / (high - low)
    return count + 1 if part >= 1 else 1 + int(part * count)


def text(value):
    """The text that a value stands for: a number is its plain digits however it was written, so 7 and 7.0 are "7"."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, Decimal)):
        digits = format(Decimal(value), "f")
        digits = digits.rstrip("0").rstrip(".") if "." in digits else digits
        return "0" if Decimal(value) == 0 else digits
    # What begins with NUL gets one more, so that nothing that is sent is "\0unknown" or "\0absent".
    return "\0" + value if value.startswith("\0") else value


def number(value):
    """A number, or a text that is one; -0 is 0."""
    return float(value) + 0.0


def has_values(field):
    """Whether a field's rows are multiplied by its numbers."""
    return field["kind"] == "vector" or field["kind"] in ("numeric", "count") and field.get("as") == "value"


def is_learnt(field):
    """Whether the edges of a number's buckets are learnt: the manifest has them."""
    given = any(field.get(name) is not None for name in ("edges", "from", "to"))
    open = field["kind"] == "numeric" or field["kind"] == "count" and field.get("buckets")
    return open and not has_values(field) and not given


def learnt_bucket(scale, value):
    """Name of a number's bucket, as the manifest has it."""
    return scale["buckets"][sum(value >= edge for edge in scale["edges"])]


def row_weights(field, numbers, scale):
    """What the rows of a field are multiplied by: its numbers, scaled, in deviations from their means, clipped."""
    low, high = field.get("clip", (-4, 4))
    z_score = field.get("normalize", "z-score") == "z-score"
    weights = []
    for i, x in enumerate(numbers):
        if field.get("scale") == "log":
            x = math.log(x) if x > 0 else -math.inf
        elif field.get("scale") == "log1p":
            x = math.copysign(math.log1p(abs(x)), x)
        if z_score:
            x = (x - scale["centre"][i]) / scale["deviation"][i] if scale["deviation"][i] else 0.0
        weights.append(min(max(x, low), high))
    # All of a vector together is about as large as one number.
    return np.array(weights) / (math.sqrt(len(numbers)) if z_score and field["kind"] == "vector" else 1)


def sent_numbers(field, impression):
    """The numbers that an impression has for a field; none if it is absent."""
    value = impression.get("features", {}).get(field["name"])
    sent = value if isinstance(value, list) else [value]
    # Vectors come as 32-bit floats.
    kind = np.float32 if field["kind"] == "vector" else float
    return [float(kind(number(v))) for v in sent if v is not None and v != ""]


def part(field, time):
    """The part of an event time, milliseconds since 1970, that a field of kind `time` has, by the clocks of its zone."""
    utc = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc) + datetime.timedelta(milliseconds=time)
    zone = field.get("zone", "UTC")
    offset = re.fullmatch(r"([+-])(\d\d):(\d\d)", zone)
    if offset:
        minutes = int(offset[2]) * 60 + int(offset[3])
        there = utc.astimezone(datetime.timezone(datetime.timedelta(minutes=minutes if offset[1] == "+" else -minutes)))
    else:
        there = utc.astimezone(zoneinfo.ZoneInfo(zone))
    return str({"hour": there.hour, "weekday": there.isoweekday(), "day": there.day, "month": there.month}[field["part"]])


def weighted(value):
    """Pairs of value and weight of a field whose values have weights: an object, or values and pairs in any mixture."""
    items = list(value.items()) if isinstance(value, dict) else value if isinstance(value, list) else [value]
    pairs = [item if isinstance(item, (list, tuple)) else (item, 1) for item in items]
    return [(v, np.float32(w)) for v, w in pairs if v is not None and v != "" and np.float32(w) > 0]


def values(field, impression, manifest):
    """The texts whose keys stand for a field of an impression: of one that it does not have, the field's own text for that."""
    if field["kind"] == "time":
        return [part(field, impression["event_time"])]
    value = impression.get("features", {}).get(field["name"])
    if has_values(field):
        return ["v%d" % i for i in range(len(sent_numbers(field, impression)))] or [ABSENT]
    if field.get("weighted"):
        return [text(v) for v, _ in weighted(value)] or [ABSENT]
    sent = [v for v in (value if isinstance(value, list) else [value]) if v is not None and v != ""]
    if not sent:
        return [ABSENT]
    if is_learnt(field):
        return ["q%d" % learnt_bucket(manifest["numbers"][field["name"]], number(sent[0]))]
    if field["kind"] in ("numeric", "count"):
        return ["b%d" % bucket(field, float(sent[0]))]
    return [text(v) for v in sent]


def fields_of(pipeline):
    """All fields that the model sees: the listed ones and, with `crosses: pairs`, one of every two that are not crossed yet."""
    fields = list(pipeline["features"])
    crosses = pipeline.get("crosses", "none")
    crosses = crosses if isinstance(crosses, dict) else {"kind": crosses}
    if crosses.get("kind") == "pairs":
        crossed = [sorted(f["of"]) for f in fields if f["kind"] == "cross"]
        names = crosses.get("of") or [f["name"] for f in fields if f["kind"] != "cross" and not has_values(f)]
        for pair in map(sorted, itertools.combinations(names, 2)):
            if pair not in crossed:
                fields.append({"name": "*".join(pair), "kind": "cross", "of": pair, "dim": crosses.get("dim", 2)})
    return fields


def dim(field, fields):
    """Size of a field's rows: its own, or that of the field whose rows it uses."""
    owner = next((f for f in fields if f["name"] == field.get("rows-of")), field)
    return owner.get("dim", 8)


def keys_of(field, fields, impression, manifest):
    """Keys of a field of an impression; of a cross the hash of each combination of its fields' keys, two by two, by name."""
    if field["kind"] != "cross":
        return [key(field, text) for text in values(field, impression, manifest)]
    parts = [next(f for f in fields if f["name"] == name) for name in sorted(field["of"])]
    lists = [keys_of(one, fields, impression, manifest) for one in parts]
    if any(found == [key(one, ABSENT)] for one, found in zip(parts, lists)):
        return [key(field, ABSENT)]
    # No more than 64: the longest list, the first of those that are, loses its last value.
    while math.prod(map(len, lists)) > 64:
        max(lists, key=len).pop()
    seed = xxhash.xxh3_64_intdigest(field["name"].encode("utf-16-le"))
    made = lists[0]
    for more in lists[1:]:
        made = [signed(xxhash.xxh3_64_intdigest(struct.pack("<qq", a, b), seed=seed)) or 1 for a in made for b in more]
    return made


def weights_of(field, fields, impression, manifest, keys):
    """What the row of each key is multiplied by: its weight's share, of a combination that of their product; or the number."""
    if has_values(field) and sent_numbers(field, impression):
        scale = manifest.get("numbers", {}).get(field["name"])
        return row_weights(field, sent_numbers(field, impression), scale)
    if field["kind"] == "cross":
        parts = [next(f for f in fields if f["name"] == name) for name in sorted(field["of"])]
        lists = [weights_of(one, fields, impression, manifest, keys_of(one, fields, impression, manifest)) for one in parts]
        while math.prod(map(len, lists)) > 64:
            lists[max(range(len(lists)), key=lambda i: len(lists[i]))] = max(lists, key=len)[:-1]
        found = [math.prod(combination) for combination in itertools.product(*lists)]
    else:
        found = [w for _, w in weighted(impression.get("features", {}).get(field["name"]))] if field.get("weighted") else []
    # What is absent has one key.
    found = np.array(found if len(found) == len(keys) else [1.0] * len(keys), np.float64)
    return found / found.sum()


def embed(fields, impression, tensors, manifest):
    """Mean of the rows of each field's values, by their weights and by attention where they have some, or sum of its numbers' rows: embeddings one field after the other, by size, then as in the file, crosses of
    many last; and the sum of the first-order weights, one for each binary task, that stand behind each embedding."""
    parts, firsts = [], 0
    for field in sorted(fields, key=lambda f: dim(f, fields)):
        name = "embedding.%d" % dim(field, fields)
        keys, rows = tensors[name + ".keys"], tensors[name + ".rows"]
        found = []
        wanted_keys = keys_of(field, fields, impression, manifest)
        for wanted in wanted_keys:
            at = np.flatnonzero(keys == wanted)
            # A value, or the absence of one, without a row of its own shares its field's row for unknown values.
            at = at if at.size else np.flatnonzero(keys == key(field, "\0unknown"))
            found.append(rows[at[0]])
        found, shares = np.array(found), weights_of(field, fields, impression, manifest, wanted_keys)
        size = dim(field, fields)
        if field.get("pooling") == "attention":
            target = next(f for f in fields if f["name"] == field["target"])
            shown, _ = embed([dict(target, dim=size)], impression, tensors, manifest)
            counts = attention(shares, found[:, :size], shown, tensors, "attention0.%s" % field["name"])
        else:
            counts = shares
        parts.append(counts @ found[:, :size])
        firsts = firsts + shares @ found[:, size:]
    return np.concatenate(parts), firsts


def attention(shares, rows, shown, tensors, prefix):
    """How much each row counts beside the target's: its share times what the net says of both, all together 1."""
    a, b = (x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + 1e-4) for x in (rows, np.broadcast_to(shown, rows.shape)))
    weight, bias = (tensors["dense.%s.out.%s" % (prefix, part)] for part in ("weight", "bias"))
    score = layers(np.concatenate([a, b, a * b], axis=1), tensors, prefix) @ weight + bias
    counts = shares * np.exp(5 * np.tanh(score[:, 0]))
    return counts / counts.sum()


def layers(x, tensors, prefix):
    """ReLU layers `<prefix>.0`, `<prefix>.1` ... as far as there are any."""
    i = 0
    while "dense.%s.%d.weight" % (prefix, i) in tensors:
        weight, bias = (tensors["dense.%s.%d.%s" % (prefix, i, part)] for part in ("weight", "bias"))
        x = np.maximum(x @ weight + bias, 0)
        i += 1
    return x


def said(x, firsts, tensors, tasks):
    """What the model says: log-odds for a yes or no, the scaled amount for the last task."""
    shared = layers(x, tensors, "bottom")
    for k in range(tasks):
        h = layers(shared, tensors, "tower%d" % k)
        out = h @ tensors["dense.tower%d.out.weight" % k] + tensors["dense.tower%d.out.bias" % k]
        yield float(np.ravel(out)[0]) + (float(firsts[k]) if k < len(firsts) else 0.0)


def probability(task, log_odds, manifest):
    """Of a binary task, before it is shrunk: negatives that were left out are put back, then FNC is turned back."""
    p = 1 / (1 + math.exp(-log_odds))
    kept = manifest.get("negativeSampling", 1.0)
    p = kept * p / (1 - p + kept * p)
    if manifest["corrections"].get(task["name"]) == "fnc":
        p = 1.0 if p >= 0.5 else p / (1 - p)
    return p


def shrunk(task, p, manifest):
    """What is served for a yes or no: as far from the base rate as it was right to be before."""
    of = manifest.get("shrinkage", {}).get(task["name"])
    if of is None:
        return p
    logit = lambda q: math.log(q / (1 - q))
    centre = logit(of["rate"])
    return 1 / (1 + math.exp(-(centre + of["slope"] * (logit(min(max(p, 1e-9), 1 - 1e-9)) - centre))))


def amount(task, scaled, manifest):
    """What is served for an amount: back to its own unit, shifted by and times what makes a mean of it, in the plausible range."""
    scale = manifest["amounts"]
    if scale["transform"] == "log1p":
        plain = math.copysign(math.expm1(min(abs(scaled), 50)), scaled) * scale["unit"]
    else:
        plain = scaled * scale["unit"] + scale["centre"]
    plain = min(max(plain, scale["from"]), scale["to"])
    return min(max(scale["shift"] + plain * scale["factor"], scale["from"]), scale["to"])


NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def number_fault(at, value, lowest=-math.inf, why=""):
    """What is wrong with a number, or None."""
    if isinstance(value, str) and not NUMBER.fullmatch(value):
        return "%s: %r; allowed: a number, or a text that is a JSON number" % (at, value)
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
        return "%s: %r; allowed: a number" % (at, value)
    if not math.isfinite(float(value)):
        return "%s: %r; allowed: a finite number" % (at, value)
    return "%s: %s; allowed: %s" % (at, value, why) if float(value) < lowest else None


def weight_fault(at, value):
    """What is wrong with a weight, or None."""
    if value is None or value == "":
        return "%s: %r; allowed: weights of 0 to 3.4e38" % (at, value)
    return number_fault(at, value, 0, "weights of 0 to 3.4e38")


def field_fault(field, value):
    """What is wrong with a field's value, as the server says it, or None."""
    at = "features." + field["name"]
    if value is None or value == "":
        return None
    if field["kind"] == "numeric":
        return number_fault(at, value)
    if field["kind"] == "count":
        return number_fault(at, value, 0, "0 or more: it is a count, or a rate of two")
    if field["kind"] == "vector":
        allowed = "a list of %d numbers" % field["size"]
        if not isinstance(value, list):
            return "%s: %r; allowed: %s" % (at, value, allowed)
        if value and len(value) != field["size"]:
            return "%s: '%d values'; allowed: %s" % (at, len(value), allowed)
        return next(filter(None, (number_fault(at, one) for one in value)), None)
    if field.get("weighted"):
        pairs = value.items() if isinstance(value, dict) else value if isinstance(value, list) else [value]
        for pair in pairs:
            pair = pair if isinstance(pair, (list, tuple)) else (pair, 1)
            if len(pair) != 2 or pair[0] is None or isinstance(pair[0], (list, dict)):
                return "%s: %r; allowed: an object of values and their weights, a value, or a list of values or pairs of value and weight" % (at, value)
            if weight_fault(at, pair[1]):
                return weight_fault(at, pair[1])
        return None
    many = field.get("many", False)
    if isinstance(value, dict) or isinstance(value, list) and not many:
        return "%s: %r; allowed: %s" % (at, value, "a value or a flat list" if many else "one value; lists need `many: true`")
    if isinstance(value, list) and any(one is None or isinstance(one, (list, dict)) for one in value):
        return "%s: %r; allowed: a value or a flat list" % (at, value)
    return None


def faults(pipeline, impression):
    """Everything that is wrong with an impression: what is scored nevertheless is a score of something else."""
    features = impression.get("features") if isinstance(impression, dict) else None
    if not isinstance(impression, dict) or features is not None and not isinstance(features, dict):
        return ["features: allowed: an object"]
    sent = [field for field in pipeline["features"] if field["kind"] not in ("cross", "time")]
    found = [field_fault(field, (features or {}).get(field["name"])) for field in sent]
    time = impression.get("event_time")
    if any(field["kind"] == "time" for field in pipeline["features"]) and (not isinstance(time, int) or isinstance(time, bool)):
        found.append("event_time: %r; allowed: epoch milliseconds, for fields of kind time" % (time,))
    return [fault for fault in found if fault]


def score(pipeline, tensors, manifest, impression):
    """Scores by task."""
    if manifest["kind"] != "shared-bottom" or manifest["type"] != "base":
        raise SystemExit("this example knows exported versions of shared-bottom models only")
    if manifest["format"] not in (3, 4, 5):
        raise SystemExit("this example knows manifests of formats 3 to 5 only")
    x, firsts = embed(fields_of(pipeline), impression, tensors, manifest)
    scores, before, previous = {}, {}, None
    for task, output in zip(pipeline["tasks"], said(x, firsts, tensors, len(pipeline["tasks"]))):
        name, parent = task["name"], task.get("after", previous)
        if task["kind"] == "binary":
            before[name] = probability(task, output, manifest)
            scores[name] = shrunk(task, before[name], manifest)
            if parent in before and before[name] <= before[parent]:
                scores[name] = min(scores[name], scores[parent])
        else:
            scores[name] = amount(task, output, manifest)
        previous = name
    return scores


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pipeline", required=True, help="the pipeline's YAML file")
    parser.add_argument("--weights", required=True, help="what `models export` wrote; its manifest is beside it")
    parser.add_argument("--impression", required=True, help="an impression as JSON")
    parser.add_argument("--expect", help="scores as JSON; fails if any differs by more than 1e-5, relatively above 1")
    args = parser.parse_args()
    with open(args.pipeline, encoding="utf-8") as file:
        pipeline = yaml.safe_load(file)
    with open(args.weights + ".json", encoding="utf-8") as file:
        manifest = json.load(file)
    with open(args.impression, encoding="utf-8") as file:
        impression = json.load(file, parse_float=Decimal)
    wrong = faults(pipeline, impression)
    if wrong:
        raise SystemExit("\n".join(wrong))
    scores = score(pipeline, load_file(args.weights), manifest, impression)
    print(json.dumps({"version": manifest["version"], "scores": scores}))
    if args.expect:
        with open(args.expect, encoding="utf-8") as file:
            expected = json.load(file)
        for name, value in expected.items():
            if abs(scores[name] - value) > 1e-5 * max(1.0, abs(value)):
                raise SystemExit("%s: %r here, %r expected" % (name, scores[name], value))


if __name__ == "__main__":
    main()
