# Layers that the models share. TorchScript, compiled by libtorch inside the JVM; no Python runs.
# B batch, F fields, d embedding size, E = sum of F * d, K tasks (binary ones first, then the core task).
# Tensors are on whatever device the weights are on, `hyper` is on the host. So what makes a tensor says where, or makes it
# like another.
from typing import Dict, List, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor


def embed(
    tables: List[Tensor],
    indices: List[Tensor],
    offsets: List[Tensor],
    weights: List[Tensor],
    batch: int,
    first: int,
    sets: int,
    p: List[Tensor],
    attention: List[List[int]],
    attention_at: List[List[List[int]]],
) -> List[Tensor]:
    # One bag per example and field, zero for none. tables[g] is (U_g, d_g + first): the distinct rows of this batch, an
    # embedding and behind it first-order weights; indices[g] points into it; offsets[g] has B * F_g starts, or none
    # where each bag is one row. weights[g] is empty where a bag is the mean of its rows, else it has a weight for each
    # index and a bag is the weighted sum.
    # Result: the embeddings of all fields, (B, E), and the sum of their first-order weights, (B, K).
    # attention: of each field that is pooled by it its table in a set, its place there, and the place of its target;
    # attention_at: for each set and such field where the two layers of its unit lie in p. First-order weights are of the
    # plain bags.
    per = len(tables) // sets
    parts: List[Tensor] = []
    sums: List[Tensor] = []
    for s in range(sets):
        total = tables[s * per].new_zeros([batch, first])
        for i in range(per):
            g = s * per + i
            if weights[g].numel() > 0:
                bags, _a, _b, _c = torch.embedding_bag(
                    tables[g], indices[g], offsets[g], False, 0, False, weights[g], False
                )
            elif offsets[g].numel() > 0:
                bags, _a, _b, _c = torch.embedding_bag(
                    tables[g], indices[g], offsets[g], False, 1, False, None, False
                )
            elif tables[g].size(1) < 16 or tables[g].is_cuda:
                # The same for bags of one row; but for each gradient a bag sorts the indices anew.
                bags = torch.embedding(tables[g], indices[g])
            else:
                # The same: of rows so wide a processor adds up the gradients of an index in one go. On a GPU it would
                # do so in any order.
                bags = torch.gather(tables[g], 0, indices[g].unsqueeze(1).expand([-1, tables[g].size(1)]))
            d = bags.size(1) - first
            rows = bags.narrow(1, 0, d)
            for u, unit in enumerate(attention):
                table, field, target = unit
                if table == i:
                    rows = attend(
                        rows,
                        tables[g].narrow(1, 0, d),
                        indices[g],
                        offsets[g],
                        weights[g],
                        batch,
                        field,
                        target,
                        p,
                        attention_at[s][u],
                    )
            parts.append(rows.reshape([batch, -1]))
            total = total + bags.narrow(1, d, first).reshape([batch, -1, first]).sum([1])
        sums.append(total)
    return [torch.cat(parts, 1), torch.cat(sums, 1)]


def bags_of(
    indices: List[Tensor], offsets: List[Tensor], weights: List[Tensor], batch: int, first: int, count: int
) -> Tuple[List[Tensor], List[Tensor], List[Tensor]]:
    # The bags of so many examples of a batch, as `embed` reads them; what the indices point into stays the whole.
    i: List[Tensor] = []
    o: List[Tensor] = []
    w: List[Tensor] = []
    for g in range(len(indices)):
        total = indices[g].numel()
        fields = offsets[g].numel() // batch
        if fields == 0:
            per = total // batch
            begin, end = first * per, (first + count) * per
            o.append(offsets[g])
        else:
            bags = (first + count) * fields
            begin = int(offsets[g][first * fields])
            end = int(offsets[g][bags]) if bags < offsets[g].numel() else total
            o.append(offsets[g].narrow(0, first * fields, count * fields) - begin)
        i.append(indices[g].narrow(0, begin, end - begin))
        w.append(weights[g].narrow(0, begin, end - begin) if weights[g].numel() > 0 else weights[g])
    return i, o, w


def attend(
    bags: Tensor,
    table: Tensor,
    indices: Tensor,
    offsets: Tensor,
    weights: Tensor,
    batch: int,
    field: int,
    target: int,
    p: List[Tensor],
    at: List[int],
) -> Tensor:
    # Target attention (after Zhou et al., 2018): in the bags of a field each row counts its weight times
    # exp(5 tanh(net)), shared out so that all of a bag are 1 together; the net sees the row, the target's row and their
    # product. bags: (B * F, d), of which a target's is its row.
    fields = offsets.numel() // batch
    bag = torch.bucketize(torch.arange(indices.numel(), device=indices.device), offsets, right=True) - 1
    mine = torch.nonzero(bag % fields == field).squeeze(1)
    into = bag.index_select(0, mine)
    rows = table.index_select(0, indices.index_select(0, mine))
    a = scaled(rows)
    b = scaled(bags.index_select(0, into + (target - field)))
    hidden = torch.relu(linear(torch.cat([a, b, a * b], 1), p, at[0]))
    score = torch.tanh(linear(hidden, p, at[1]).squeeze(1)) * 5.0
    share = weights.index_select(0, mine)
    counts = share * torch.exp(score)
    total = torch.zeros_like(bags[:, 0]).index_add(0, into, counts)
    more = counts / total.index_select(0, into) - share
    return bags.index_add(0, into, more.unsqueeze(1) * rows)


def scaled(x: Tensor) -> Tensor:
    # Vectors of one size, about 1 in each component: rows start small, and their product smaller. What is much smaller
    # than a hundredth stays small, or its gradient would explode.
    return x * torch.rsqrt((x * x).mean([1], True) + 1e-4)


def wide(o: Tensor, f: Tensor, k: int, binary: int) -> Tensor:
    # The output of task k with its first-order weights added. Of the core task only ZILN's log-odds of an amount above
    # zero, the first of its outputs (B, 3), has some.
    if k < binary:
        return o + f[:, k]
    if o.dim() == 2:
        odds = (o[:, 0] + f[:, k]).unsqueeze(1)
        return torch.cat([odds, o[:, 1:]], 1)
    return o


def linear(x: Tensor, p: List[Tensor], at: int) -> Tensor:
    # The weight p[at] is (in, out), the bias behind it (out,).
    weight = p[at]
    if weight.dtype == x.dtype:
        return torch.addmm(p[at + 1], x, weight)
    return product(x, weight) + p[at + 1]


def product(x: Tensor, weight: Tensor) -> Tensor:
    # x W, multiplied in the weight's precision.
    if weight.dtype == x.dtype:
        return x @ weight
    return (x.type_as(weight) @ weight).type_as(x)


def lowered(p: List[Tensor], layers_at: List[int], half: bool) -> List[Tensor]:
    # The weights as a step multiplies by them: with `half` those of the given places in bfloat16, from which gradients
    # come back in full.
    if not half:
        return p
    out = [one for one in p]
    for at in layers_at:
        out[at] = p[at].to(torch.bfloat16)
    return out


def tower(x: Tensor, p: List[Tensor], at: List[int]) -> List[Tensor]:
    # ReLU layers, then the output: one linear unit, (B,), or several, (B, n). Returns every hidden layer and, last, the
    # output.
    out: List[Tensor] = []
    h = x
    for layer in at[:-1]:
        h = torch.relu(linear(h, p, layer))
        out.append(h)
    out.append(linear(h, p, at[-1]).squeeze(1))
    return out


def amount_loss(o: Tensor, t: Tensor, kind: str, delta: float) -> Tensor:
    # Loss of the core task, for each example: squared error, Huber's, quadratic up to delta, or the zero-inflated
    # lognormal's (ZILN, Wang et al. 2019). With this o is (B, 3): log-odds of an amount above zero, mean and (before
    # softplus) deviation of its logarithm. A lognormal's own constants are kept: it is a likelihood.
    if kind == "squared":
        return (o - t) ** 2
    if kind == "huber":
        return F.huber_loss(o, t, reduction="none", delta=delta)
    some = t > 0.0
    yes = some.type_as(o)
    # Where nothing was paid the logarithm is not asked for: 1 stands in, so that no NaN is made.
    log = torch.where(some, t, torch.ones_like(t)).log()
    sigma = deviation(o)
    z = (log - o[:, 1]) / sigma
    half_log_2_pi = 0.9189385332046727
    negative_log_density = log + sigma.log() + half_log_2_pi + z * z * 0.5
    return F.binary_cross_entropy_with_logits(o[:, 0], yes, reduction="none") + yes * negative_log_density


def deviation(o: Tensor) -> Tensor:
    # Kept above 0.01: a deviation of 0 has no likelihood.
    return F.softplus(o[:, 2]) + 0.01


def amount(o: Tensor, kind: str) -> Tensor:
    # (B,): the prediction of the core task in the model's scale. ZILN's is the mean, p exp(mu + sigma^2 / 2); the
    # exponent is kept below 15.
    if kind != "ziln":
        return o
    sigma = deviation(o)
    log = o[:, 1] + sigma * sigma * 0.5
    return torch.sigmoid(o[:, 0]) * log.clamp(max=15.0).exp()


def weighted(l: Tensor, w: Tensor, k: int) -> Tensor:
    # Losses of task k, weighted, summed and divided by B. A masked label has weight 0 and gives exactly no gradient.
    return (l * w[:, k]).sum() / w.size(0)


def losses(o: List[Tensor], binary: int, y: Tensor, w: Tensor, kind: str, delta: float) -> List[Tensor]:
    # Per task: log loss of log-odds (binary) or the core task's loss.
    out: List[Tensor] = []
    for k, output in enumerate(o):
        if k < binary:
            l = F.binary_cross_entropy_with_logits(output, y[:, k], reduction="none")
        else:
            l = amount_loss(output, y[:, k], kind, delta)
        out.append(weighted(l, w, k))
    return out


def predictions(o: List[Tensor], binary: int, kind: str) -> Tensor:
    # (B, K): probabilities for binary tasks, the amount in the model's scale for the core task.
    out = [torch.sigmoid(odds) for odds in o[:binary]]
    return torch.stack(out + [amount(core, kind) for core in o[binary:]], 1)


def leaves(tensors: List[Tensor]) -> List[Tensor]:
    return [t.detach().requires_grad_(True) for t in tensors]


def gradients(loss: Tensor, wrt: List[Tensor], keep: bool) -> List[Tensor]:
    # Gradient of the loss for each tensor; zeros where the loss does not depend on it.
    found = torch.autograd.grad([loss], wrt, retain_graph=keep, allow_unused=True)
    out: List[Tensor] = []
    for i, g in enumerate(found):
        out.append(g if g is not None else torch.zeros_like(wrt[i]))
    return out


def add(into: List[Tensor], more: List[Tensor]) -> List[Tensor]:
    return [into[i] + more[i] for i in range(len(into))]


def dot(a: List[Tensor], b: List[Tensor]) -> Tensor:
    # Inner product of two lists of tensors, each seen as one long vector.
    s = a[0].new_zeros([])
    for x, y in zip(a, b):
        s = s + (x * y).sum()
    return s


def update(
    p: List[Tensor],
    g: List[Tensor],
    m: List[Tensor],
    v: List[Tensor],
    steps: List[Tensor],
    losses: Tensor,
    rows: List[Tensor],
    hyper: Dict[str, float],
) -> Tensor:
    # One step of the dense weights in place, unless a loss or a gradient is not finite or a gradient's norm is above
    # the bound: then nothing is touched. Returns [norm of the dense gradient, 1 if the step was taken, else 0, share that the rows' gradient is to be
    # clipped to]. A comparison with NaN is false.
    norm = dot(g, g).sqrt()
    own = dot(rows, rows).sqrt()
    sound = torch.logical_and(torch.maximum(norm, own) <= hyper["max_norm"], losses.sum().isfinite())
    taken = torch.zeros_like(norm)
    clip = hyper["clip_norm"]
    if bool(sound):
        if bool(norm > clip):
            g = torch._foreach_mul(g, clip / float(norm))
        # The step counters must be raised first: at 0 Adam's bias correction divides by zero.
        torch._foreach_add_(steps, 1.0)
        if hyper["optimizer"] == 0.0:
            adam(p, g, m, v, steps, hyper)
        elif hyper["optimizer"] == 1.0:
            adagrad(p, g, v, hyper)
        else:
            sgd(p, g, hyper)
        taken = torch.ones_like(norm)
    return torch.stack([norm, taken, (torch.full_like(own, clip) / own).clamp(max=1.0)])


def adam(
    p: List[Tensor], g: List[Tensor], m: List[Tensor], v: List[Tensor], steps: List[Tensor], hyper: Dict[str, float]
) -> None:
    # Kingma and Ba, 2015. On a GPU the fused operator takes only tensors that lie in memory alike.
    none: List[Tensor] = []
    torch._fused_adam_(
        p,
        [one.contiguous() for one in g],
        m,
        v,
        none,
        steps,
        lr=hyper["rate"],
        beta1=0.9,
        beta2=0.999,
        weight_decay=hyper["decay"],
        eps=hyper["epsilon"],
        amsgrad=False,
        maximize=False,
    )


def adagrad(p: List[Tensor], g: List[Tensor], v: List[Tensor], hyper: Dict[str, float]) -> None:
    # Duchi et al., 2011: v += G * G, p -= rate G / (sqrt(v) + epsilon), where G is the gradient of the sum over a
    # batch: so v means the same whatever a batch's size.
    sums = torch._foreach_mul(decayed(p, g, hyper), hyper["examples"])
    torch._foreach_addcmul_(v, sums, sums, 1.0)
    roots = torch._foreach_sqrt(v)
    torch._foreach_add_(roots, hyper["epsilon"] * hyper["examples"])
    torch._foreach_addcdiv_(p, sums, roots, -hyper["rate"])


def sgd(p: List[Tensor], g: List[Tensor], hyper: Dict[str, float]) -> None:
    # p -= rate g
    torch._foreach_add_(p, decayed(p, g, hyper), alpha=-hyper["rate"])


def decayed(p: List[Tensor], g: List[Tensor], hyper: Dict[str, float]) -> List[Tensor]:
    # The gradient with that of the L2 regularisation.
    if hyper["decay"] > 0.0:
        return torch._foreach_add(g, p, alpha=hyper["decay"])
    return g


def named(names: List[str], values: Tensor) -> Dict[str, float]:
    numbers: List[float] = values.tolist()
    return dict(zip(names, numbers))


def log_losses(o: List[Tensor], binary: int, y: Tensor, w: Tensor, kind: str, delta: float) -> List[Tensor]:
    # As `losses`, from log probabilities of binary tasks: -y log q - (1 - y) log(1 - q).
    # log(1 - q) = log(-expm1(log q)); log q is kept below 0 by 1e-7, so that it is finite.
    out: List[Tensor] = []
    for k, output in enumerate(o):
        t = y[:, k]
        if k < binary:
            logq = output.clamp(max=-1e-07)
            l = -(t * logq + (1.0 - t) * (-torch.expm1(logq)).log())
        else:
            l = amount_loss(output, t, kind, delta)
        out.append(weighted(l, w, k))
    return out


def chain(o: List[Tensor], binary: int, stop: bool) -> List[Tensor]:
    # From log-odds of each step given the one before to log q_t = sum over s <= t of log sigma(o_s); with `stop`
    # no step's loss reaches the steps before it. The core task's output stays as it is.
    out: List[Tensor] = []
    logq = o[0].new_zeros([])
    for odds in o[:binary]:
        if stop:
            logq = logq.detach()
        logq = F.logsigmoid(odds) + logq
        out.append(logq)
    return out + o[binary:]


def log_predictions(o: List[Tensor], binary: int, kind: str) -> Tensor:
    # As `predictions`, from log probabilities.
    out = [logq.exp() for logq in o[:binary]]
    return torch.stack(out + [amount(core, kind) for core in o[binary:]], 1)


def reaching(binary: int, w: Tensor, reached: Tensor) -> Tensor:
    # Weights of the path's likelihood: a step counts where the one before it happened, the core task everywhere.
    out: List[Tensor] = []
    for k in range(w.size(1)):
        out.append(w[:, k] * reached[:, k] if k < binary else w[:, k])
    return torch.stack(out, 1)


def mlp(x: Tensor, p: List[Tensor], at: List[int]) -> Tensor:
    # ReLU layers.
    h = x
    for layer in at:
        h = torch.relu(linear(h, p, layer))
    return h


def mix(x: Tensor, experts: List[Tensor], p: List[Tensor], at: int) -> Tensor:
    # One gate: softmax over the experts from x, applied to what these made: (B, width).
    gate = torch.softmax(linear(x, p, at), 1)
    return (gate.unsqueeze(2) * torch.stack(experts, 1)).sum(1)


def fuse(u: List[Tensor], p: List[Tensor], at: List[int]) -> Tensor:
    # Attention over a list of vectors (B, in): V, Q, K linear in each, softmax over the list of <Q, K> / sqrt(H),
    # applied to V: (B, H). HTLNet's information fusion unit and AITM's transfer are both this.
    values: List[Tensor] = []
    scores: List[Tensor] = []
    value_at, query_at, key_at = at
    for x in u:
        value = linear(x, p, value_at)
        q = linear(x, p, query_at)
        k = linear(x, p, key_at)
        values.append(value)
        scores.append((q * k).sum(1) / float(value.size(1)) ** 0.5)
    a = torch.softmax(torch.stack(scores, 1), 1)
    return (a.unsqueeze(2) * torch.stack(values, 1)).sum(1)


def attention(q: Tensor, x: Tensor) -> Tensor:
    # Scaled dot-product attention with keys and values x (B, F, d); q is (n, d) or (B, n, d). Result (B, n, d).
    scale = float(x.size(2)) ** 0.5
    return torch.softmax(q @ x.transpose(1, 2) / scale, 2) @ x


def onto(tensors: List[Tensor], device: str) -> List[Tensor]:
    # Copies on the device.
    return [t.to(torch.device(device), copy=True) for t in tensors]


def to_host(tensors: List[Tensor], pinned: bool) -> List[Tensor]:
    # Copies on the host, each flat, in one transfer, which is over when this returns.
    all = torch.cat([t.reshape([-1]) for t in tensors])
    if pinned:
        host = torch.empty([all.numel()], dtype=all.dtype, device=torch.device("cpu"), pin_memory=True)
        host.copy_(all)
    else:
        host = all.to(torch.device("cpu"))
    out: List[Tensor] = []
    at = 0
    for t in tensors:
        out.append(host.narrow(0, at, t.numel()))
        at = at + t.numel()
    return out
