"""Ablation of hidden units of o = h V + c in closed form: hidden activations once, then only sums of contributions.

A mask s in {0, 1}^m gives o_k = sum_j s_j h_j V_jk + c_k: for many masks this is one matrix product a class, S (h * V_k)^T.
"""

import numpy as np

from lab.arrays import floats
from lab.errors import InputError
from theory.measures.ablation import GRID, keep_masks, removed_counts
from theory.measures.merging import Merging


def _checked(hidden, V, c):
    hidden, V, c = (floats(a) for a in (hidden, V, c))
    if hidden.ndim != 2 or V.ndim != 2 or hidden.shape[1] != V.shape[0] or c.shape != V.shape[1:] or 0 in hidden.shape:
        raise InputError(f"need hidden (n, m), V (m, k) and c (k,), got {hidden.shape}, {V.shape} and {c.shape}")
    return hidden, V, c


def ablate(hidden: np.ndarray, V: np.ndarray, c: np.ndarray, keep: np.ndarray, rows: int = 1024) -> np.ndarray:
    """Classes (masks, n) under each keep mask (masks, m), by one matrix product a class (and ``rows`` of inputs)."""
    hidden, V, c = _checked(hidden, V, c)
    keep = np.asarray(keep)
    if keep.ndim != 2 or keep.shape[1] != hidden.shape[1]:
        raise InputError(f"keep masks must be (masks, {hidden.shape[1]}), got {keep.shape}")
    keep = keep.astype(np.float64)
    out = np.empty((len(keep), len(hidden)), dtype=np.int64)
    for start in range(0, len(hidden), rows):
        part = hidden[start:start + rows]
        logits = np.stack([keep @ (part * V[:, k]).T + c[k] for k in range(V.shape[1])], axis=-1)
        out[:, start:start + rows] = logits.argmax(axis=-1)
    return out


def curves(hidden: np.ndarray, V: np.ndarray, c: np.ndarray, orders: np.ndarray, labels: np.ndarray,
           fractions=GRID) -> tuple[np.ndarray, np.ndarray]:
    """Ablation curves of nested orders.

    Parameters
    ----------
    hidden : (n, m) activations. V, c : readout, (m, k) and (k,).
    orders : (orders, m) units, first ablated first.
    labels : (n,) true classes.
    fractions : of units ablated.

    Returns
    -------
    unchanged, accuracy : (orders, fractions), shares of inputs.
    """
    hidden, V, c = _checked(hidden, V, c)
    if np.shape(labels) != hidden.shape[:1]:
        raise InputError(f"labels must be ({len(hidden)},), got {np.shape(labels)}")
    masks = keep_masks(orders, removed_counts(hidden.shape[1], fractions))
    intact = ablate(hidden, V, c, np.ones((1, hidden.shape[1])))[0]
    found = ablate(hidden, V, c, masks.reshape(-1, hidden.shape[1])).reshape(*masks.shape[:2], -1)
    unchanged, accuracy = (found == intact).mean(axis=2), (found == labels).mean(axis=2)
    unchanged[:, masks[0].all(axis=1)] = 1.0  # nothing is ablated: not even rounding may say otherwise
    return unchanged, accuracy


def contribution_gram(hidden: np.ndarray, V: np.ndarray) -> np.ndarray:
    """G_ij = E[h_i h_j] V_i . V_j, (m, m), readout weights taken about their mean over classes (which moves no argmax)."""
    hidden, V, _ = _checked(hidden, V, np.zeros(np.shape(V)[1:]))
    about = V - V.mean(axis=1, keepdims=True)
    return (hidden.T @ hidden / len(hidden)) * (about @ about.T)


def smaller_network(W, b, V, c, merging: Merging) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Weights of the network that keeps the units of a :class:`~theory.measures.merging.Merging` alone."""
    V = floats(V, "V")
    index = np.cumsum(merging.kept) - 1
    small = np.zeros((int(merging.kept.sum()), V.shape[1]))
    used = merging.slope != 0
    np.add.at(small, index[merging.representative[used]], merging.slope[used, None] * V[used])
    return W[:, merging.kept], b[merging.kept], small, c + merging.offset @ V
