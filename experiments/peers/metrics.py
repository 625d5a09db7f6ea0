"""The metrics of Freshet's tables, for all rows alike."""

import numpy as np
from scipy.stats import rankdata

SMALLEST = 1e-7


def binary(said, label):
    p = np.clip(said, SMALLEST, 1 - SMALLEST)
    yes = label > 0.5
    ones, count = int(yes.sum()), len(label)
    loss = -np.where(yes, np.log(p), np.log1p(-p)).mean()
    found = {"labels": count, "positives": ones, "logLoss": loss}
    if 0 < ones < count:
        rate = ones / count
        found["auc"] = (rankdata(p)[yes].sum() - ones * (ones + 1) / 2) / ones / (count - ones)
        found["ne"] = loss / -(rate * np.log(rate) + (1 - rate) * np.log1p(-rate))
    if ones:
        found["calibration"] = said.sum() / ones
    return found


def amount(said, label):
    found = {"labels": len(label), "positives": int((label != 0).sum())}
    error = said - label
    if label.std() > 0:
        found["nrmse"] = np.sqrt((error**2).mean()) / label.std()
        found["nmae"] = np.abs(error).mean() / np.abs(label).mean()
        a, b = rankdata(said), rankdata(label)
        found["spearman"] = np.corrcoef(a, b)[0, 1] if a.std() > 0 else 0.0
    if label.sum() > 0:
        found["calibration"] = said.sum() / label.sum()
    return found
