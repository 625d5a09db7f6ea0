"""Plain online learners on one-hot values, one pass, predicting before they learn.

Every learner sees the examples of a file in order, in small batches: first all of a batch are predicted, then they are
learnt. What counts for an impression is the prediction at its first example, before anything of it was learnt.
"""

import numpy as np
from numba import njit
from sklearn.linear_model import SGDClassifier, SGDRegressor

BATCH = 16

NAMES = ("ftrl", "adagrad", "sgd")


@njit(cache=True)
def _running_rate(value, weight, first_of, say):
    """Krichevsky-Trofimov rate before each label, and before each impression's first example."""
    yes, labels = 0.5, 1.0
    for i in range(len(value)):
        if first_of[i] == i:
            say[i] = yes / labels if labels > 1 else np.nan
        if weight[i] > 0:
            yes += value[i]
            labels += 1


@njit(cache=True)
def _running_mean(value, weight, first_of, say):
    total, labels = 0.0, 0.0
    for i in range(len(value)):
        if first_of[i] == i:
            say[i] = total / labels if labels > 0 else np.nan
        if weight[i] > 0:
            total += value[i]
            labels += 1


@njit(cache=True)
def _ftrl(starts, keys, value, weight, first_of, size, alpha, l1, l2, offset, batch, say):
    """FTRL-proximal logistic regression (McMahan et al. 2013), a learning rate for each coordinate."""
    z = np.zeros(size)
    n = np.zeros(size)
    yes, labels = 0.5, 1.0
    count = len(value)
    for begin in range(0, count, batch):
        end = min(begin + batch, count)
        base = np.log(yes / (labels - yes)) if offset else 0.0
        for step in range(2):
            for i in range(begin, end):
                if step == 0 and first_of[i] != i or step == 1 and not weight[i] > 0:
                    continue
                x = base
                for j in range(starts[i], starts[i + 1]):
                    k = keys[j]
                    if abs(z[k]) > l1:
                        x -= (z[k] - np.sign(z[k]) * l1) / ((1 + np.sqrt(n[k])) / alpha + l2)
                p = 1 / (1 + np.exp(-min(max(x, -30.0), 30.0)))
                if step == 0:
                    say[i] = p if labels > 1 else np.nan
                    continue
                g = p - value[i]
                for j in range(starts[i], starts[i + 1]):
                    k = keys[j]
                    w = 0.0
                    if abs(z[k]) > l1:
                        w = -(z[k] - np.sign(z[k]) * l1) / ((1 + np.sqrt(n[k])) / alpha + l2)
                    sigma = (np.sqrt(n[k] + g * g) - np.sqrt(n[k])) / alpha
                    z[k] += g - sigma * w
                    n[k] += g * g
                yes += value[i]
                labels += 1


@njit(cache=True)
def _adagrad(starts, keys, value, weight, first_of, size, rate, log_link, batch, say):
    """Linear regression of an amount around its running mean: squared error, or Poisson's with a logarithmic link."""
    w = np.zeros(size)
    n = np.full(size, 1e-8)
    total, squares, labels = 0.0, 0.0, 0.0
    count = len(value)
    for begin in range(0, count, batch):
        end = min(begin + batch, count)
        mean = total / labels if labels > 0 else np.nan
        spread = np.sqrt(max(squares / labels, 1e-12)) if labels > 0 else 1.0
        known = labels > 0 and mean > 0
        for step in range(2):
            for i in range(begin, end):
                if step == 0 and first_of[i] != i or step == 1 and not weight[i] > 0:
                    continue
                x = 0.0
                for j in range(starts[i], starts[i + 1]):
                    x += w[keys[j]]
                said = mean * np.exp(min(max(x, -10.0), 10.0)) if log_link else mean + spread * x
                if step == 0:
                    say[i] = said
                    continue
                if known:
                    g = (said - value[i]) / spread
                    # One mad amount may not decide everything after it.
                    g = min(max(g, -10.0), 10.0)
                    for j in range(starts[i], starts[i + 1]):
                        k = keys[j]
                        n[k] += g * g
                        w[k] -= rate * g / np.sqrt(n[k])
                total += value[i]
                squares += value[i] * value[i]
                labels += 1


def _sgd(model, matrix, value, weight, first_of, offset, binary, batch, say):
    """scikit-learn's, a batch at a time."""
    learnt = 0
    total = squares = 0.0
    count = len(value)
    for begin in range(0, count, batch):
        rows = np.arange(begin, min(begin + batch, count))
        firsts = rows[first_of[rows] == rows]
        if learnt and len(firsts):
            part = matrix[firsts]
            if binary:
                x = model.decision_function(part)
                say[firsts] = 1 / (1 + np.exp(-np.clip(x, -30, 30)))
            else:
                say[firsts] = model.predict(part) * spread
        rows = rows[weight[rows] > 0]
        if not len(rows):
            continue
        total += value[rows].sum()
        squares += (value[rows] ** 2).sum()
        new = not learnt
        learnt += len(rows)
        if binary:
            model.partial_fit(matrix[rows], value[rows] > 0.5, classes=[False, True])
            if new and offset:
                rate = (total + 0.5) / (learnt + 1)
                model.intercept_[:] = np.log(rate / (1 - rate))
        else:
            if new:
                spread = max(np.sqrt(squares / learnt), 1e-12) if squares > 0 else 1.0
            model.partial_fit(matrix[rows], np.clip(value[rows] / spread, -100, 100))


def base(examples, task):
    say = examples.nothing()
    value, weight = examples.labels(task)
    (_running_rate if examples.binary(task) else _running_mean)(value, weight, examples.first_of, say)
    return say


def candidates(examples, task, quick):
    """Names and functions of all learners and settings of the grid that suit a task."""
    value, weight = examples.labels(task)
    x = (examples.starts, examples.keys, value, weight, examples.first_of, examples.size)
    if examples.binary(task):
        for alpha in (0.003, 0.01, 0.03, 0.1, 0.3, 1.0):
            for l1 in (0.0,) if quick else (0.0, 1.0):
                for offset in (False, True):
                    yield "ftrl", dict(alpha=alpha, l1=l1, offset=offset), _run(_ftrl, examples, *x, alpha, l1, 1.0, offset, BATCH)
    else:
        for rate in (0.003, 0.01, 0.03, 0.1):
            for log_link in (False, True):
                yield "adagrad", dict(rate=rate, link="log" if log_link else "none"), _run(_adagrad, examples, *x, rate, log_link, BATCH)
    matrix = examples.matrix()
    for rate in (0.03,) if quick else (0.003, 0.01, 0.03, 0.1):
        for decay in (1e-6,) if quick else (1e-6, 1e-4):
            if examples.binary(task):
                model = SGDClassifier("log_loss", alpha=decay, learning_rate="constant", eta0=rate)
            else:
                model = SGDRegressor(alpha=decay, learning_rate="constant", eta0=rate / 10)
            yield "sgd", dict(rate=rate, decay=decay), _run(
                _sgd, examples, model, matrix, value, weight, examples.first_of, True, examples.binary(task), BATCH
            )


def _run(learner, examples, *arguments):
    def run():
        say = examples.nothing()
        learner(*arguments, say)
        return say

    return run
