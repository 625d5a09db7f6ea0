# Layers that the models share. TorchScript, compiled by libtorch inside the JVM; no Python runs.
# B batch, F fields, d embedding size, E = sum of F * d, K tasks (binary ones first, then the core task).

def embed(tables: List[Tensor], indices: List[Tensor], offsets: List[Tensor], batch: int) -> Tensor:
  # One bag per example and field, mean over its values, zero for none. tables[g] is (U_g, d_g): the distinct
  # rows of this batch; indices[g] points into it; offsets[g] has B * F_g starts. Result: (B, E).
  parts = annotate(List[Tensor], [])
  for g in range(len(tables)):
    bags, _a, _b, _c = torch.embedding_bag(tables[g], indices[g], offsets[g], False, 1, False, None, False)
    parts.append(torch.reshape(bags, [batch, -1]))
  return torch.cat(parts, 1)

def linear(x: Tensor, p: List[Tensor], at: int) -> Tensor:
  # p[at]: (in, out), p[at + 1]: (out,)
  return torch.addmm(p[at + 1], x, p[at])

def tower(x: Tensor, p: List[Tensor], at: int, depth: int) -> List[Tensor]:
  # depth ReLU layers, then one linear unit. Returns every hidden layer and, last, the output (B,).
  out = annotate(List[Tensor], [])
  h = x
  for i in range(depth):
    h = torch.relu(layers.linear(h, p, at + 2 * i))
    out.append(h)
  out.append(torch.squeeze(layers.linear(h, p, at + 2 * depth), 1))
  return out

def losses(o: List[Tensor], binary: int, y: Tensor, w: Tensor) -> List[Tensor]:
  # Per task: weighted log loss (binary) or weighted squared error (core), summed and divided by B.
  # A masked label has weight 0 and gives exactly no gradient.
  out = annotate(List[Tensor], [])
  for k in range(len(o)):
    t = torch.select(y, 1, k)
    if k < binary:
      l = torch.binary_cross_entropy_with_logits(o[k], t, None, None, 0)
    else:
      l = torch.pow(torch.sub(o[k], t), 2)
    out.append(torch.div(torch.sum(torch.mul(l, torch.select(w, 1, k))), torch.size(y, 0)))
  return out

def predictions(o: List[Tensor], binary: int) -> Tensor:
  # (B, K): probabilities for binary tasks, the transformed value for the core task.
  out = annotate(List[Tensor], [])
  for k in range(len(o)):
    if k < binary:
      out.append(torch.sigmoid(o[k]))
    else:
      out.append(o[k])
  return torch.stack(out, 1)

def leaves(tensors: List[Tensor]) -> List[Tensor]:
  out = annotate(List[Tensor], [])
  for t in tensors:
    out.append(torch.requires_grad_(torch.detach(t), True))
  return out

def gradients(loss: Tensor, wrt: List[Tensor], keep: bool) -> List[Tensor]:
  # Gradient of the loss for each tensor; zeros where the loss does not depend on it.
  found = torch.autograd.grad([loss], wrt, None, keep, False, True)
  out = annotate(List[Tensor], [])
  for i in range(len(wrt)):
    g = found[i]
    if g is not None:
      out.append(g)
    else:
      out.append(torch.zeros_like(wrt[i]))
  return out

def add(into: List[Tensor], more: List[Tensor]) -> List[Tensor]:
  out = annotate(List[Tensor], [])
  for i in range(len(into)):
    out.append(torch.add(into[i], more[i]))
  return out

def dot(a: List[Tensor], b: List[Tensor]) -> Tensor:
  # Inner product of two lists of tensors, each seen as one long vector.
  s = torch.zeros([])
  for i in range(len(a)):
    s = torch.add(s, torch.sum(torch.mul(a[i], b[i])))
  return s

def adam(p: List[Tensor], g: List[Tensor], m: List[Tensor], v: List[Tensor], steps: List[Tensor], rate: float, decay: float) -> Tensor:
  # One fused Adam step in place (Kingma and Ba, 2015), L2 through `decay`. Returns the gradient's norm.
  # The step counters must be raised first: at 0 the bias correction divides by zero.
  norm = torch.sqrt(layers.dot(g, g))
  torch._foreach_add_(steps, 1.)
  none = annotate(List[Tensor], [])
  torch._fused_adam_(p, g, m, v, none, steps, lr=rate, beta1=0.9, beta2=0.999, weight_decay=decay, eps=1e-08, amsgrad=False, maximize=False)
  return norm

def log_losses(o: List[Tensor], binary: int, y: Tensor, w: Tensor) -> List[Tensor]:
  # As `losses`, for models that give log probabilities of binary tasks: -y log q - (1 - y) log(1 - q).
  # log(1 - q) = log(-expm1(log q)); log q is kept below 0 by 1e-7, so that it is finite.
  out = annotate(List[Tensor], [])
  for k in range(len(o)):
    t = torch.select(y, 1, k)
    if k < binary:
      logq = torch.clamp(o[k], None, -1e-07)
      rest = torch.log(torch.neg(torch.expm1(logq)))
      l = torch.neg(torch.add(torch.mul(t, logq), torch.mul(torch.rsub(t, 1.), rest)))
    else:
      l = torch.pow(torch.sub(o[k], t), 2)
    out.append(torch.div(torch.sum(torch.mul(l, torch.select(w, 1, k))), torch.size(y, 0)))
  return out

def chain(o: List[Tensor], binary: int) -> List[Tensor]:
  # From log-odds of each step given the one before to log q_t = sum over s <= t of log sigma(o_s); the core
  # task's output stays as it is.
  out = annotate(List[Tensor], [])
  logq = torch.zeros([])
  for k in range(len(o)):
    if k < binary:
      logq = torch.add(torch.log_sigmoid(o[k]), logq)
      out.append(logq)
    else:
      out.append(o[k])
  return out

def log_predictions(o: List[Tensor], binary: int) -> Tensor:
  # As `predictions`, from log probabilities.
  out = annotate(List[Tensor], [])
  for k in range(len(o)):
    if k < binary:
      out.append(torch.exp(o[k]))
    else:
      out.append(o[k])
  return torch.stack(out, 1)

def attention(q: Tensor, x: Tensor) -> Tensor:
  # Scaled dot-product attention with keys and values x (B, F, d); q is (n, d) or (B, n, d). Result (B, n, d).
  scale = float(torch.size(x, 2)) ** 0.5
  return torch.matmul(torch.softmax(torch.div(torch.matmul(q, torch.transpose(x, 1, 2)), scale), 2), x)

def layer_norm(x: Tensor, p: List[Tensor], at: int) -> Tensor:
  # p[at]: gain - 1, p[at + 1]: bias, both (d,)
  return torch.layer_norm(x, [torch.size(x, 2)], torch.add(p[at], 1.), p[at + 1], 1e-05, False)
