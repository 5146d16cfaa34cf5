"""Ablation of hidden units of o = h V + c in closed form: activations are computed once, then contributions are summed.

A mask s in {0, 1}^m gives o_k = sum_j s_j h_j V_jk + c_k: for many masks S this is one matrix product per class, S (h * V_k)^T.
"""

from collections.abc import Sequence

import numpy as np

from lab.arrays import floats
from lab.errors import InputError
from theory.measures.ablation import GRID, keep_masks, removed_counts
from theory.measures.merging import Merging


def _checked(hidden, V, c) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    hidden, V, c = (floats(a) for a in (hidden, V, c))
    if hidden.ndim != 2 or V.ndim != 2 or hidden.shape[1] != V.shape[0] or c.shape != V.shape[1:] or 0 in hidden.shape:
        raise InputError(f"need hidden (n, m), V (m, k) and c (k,), got {hidden.shape}, {V.shape} and {c.shape}")
    return hidden, V, c


def ablate(hidden: np.ndarray, V: np.ndarray, c: np.ndarray, keep: np.ndarray, rows: int = 1024) -> np.ndarray:
    """Predicted classes with some of the units only.

    Parameters
    ----------
    hidden : (n, m) float array
        Activations.
    V : (m, k) float array
        Readout weights.
    c : (k,) float array
        Readout biases.
    keep : (masks, m) bool array
        True where a unit stays.
    rows : int ≥ 1, default 1024
        Inputs per block, which limits the memory.

    Returns
    -------
    (masks, n) int array
        Class of each input under each mask.

    Raises
    ------
    InputError
        For shapes that do not fit together.

    Examples
    --------
    >>> hidden, V, c = np.array([[1.0, 2.0]]), np.eye(2), np.zeros(2)
    >>> ablate(hidden, V, c, np.array([[True, True], [True, False]]))
    array([[1],
           [0]])
    """
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
           fractions: Sequence[float] | np.ndarray = GRID) -> tuple[np.ndarray, np.ndarray]:
    """Ablation curves: predictions that stay, and accuracy, as more and more units of an order are ablated.

    Parameters
    ----------
    hidden : (n, m) float array
        Activations.
    V : (m, k) float array
        Readout weights.
    c : (k,) float array
        Readout biases.
    orders : (orders, m) int array
        Orders of the units; the first of an order is ablated first.
    labels : (n,) int array
        True classes.
    fractions : (F,) floats in [0, 1], default ``theory.measures.ablation.GRID``
        Shares of the units that are ablated.

    Returns
    -------
    unchanged : (orders, F) float array
        Share of the inputs whose prediction is that of the intact network.
    accuracy : (orders, F) float array
        Share of the inputs that are classified correctly.

    Raises
    ------
    InputError
        For shapes that do not fit together, or an order that is no permutation.

    References
    ----------
    The removability curves of S1.

    Examples
    --------
    >>> hidden, V, c = np.array([[1.0, 2.0], [3.0, 1.0]]), np.eye(2), np.zeros(2)
    >>> unchanged, accuracy = curves(hidden, V, c, np.array([[1, 0]]), np.array([1, 0]), fractions=(0.0, 0.5))
    >>> unchanged, accuracy
    (array([[1. , 0.5]]), array([[1. , 0.5]]))
    """
    hidden, V, c = _checked(hidden, V, c)
    if np.shape(labels) != hidden.shape[:1]:
        raise InputError(f"labels must be ({len(hidden)},), got {np.shape(labels)}")
    masks = keep_masks(orders, removed_counts(hidden.shape[1], fractions))
    intact = ablate(hidden, V, c, np.ones((1, hidden.shape[1])))[0]
    classes = ablate(hidden, V, c, masks.reshape(-1, hidden.shape[1])).reshape(*masks.shape[:2], -1)
    unchanged, accuracy = (classes == intact).mean(axis=2), (classes == labels).mean(axis=2)
    unchanged[:, masks[0].all(axis=1)] = 1.0  # exact where nothing is ablated, whatever the rounding of a tie
    return unchanged, accuracy


def contribution_gram(hidden: np.ndarray, V: np.ndarray) -> np.ndarray:
    """G_ij = E[h_i h_j] V_i . V_j, (m, m), with the readout weights centred over classes (which changes no prediction)."""
    hidden, V, _ = _checked(hidden, V, np.zeros(np.shape(V)[1:]))
    about = V - V.mean(axis=1, keepdims=True)
    return (hidden.T @ hidden / len(hidden)) * (about @ about.T)


def smaller_network(W: np.ndarray, b: np.ndarray, V: np.ndarray, c: np.ndarray,
                    merging: Merging) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The network that has only the units that a merging keeps.

    Parameters
    ----------
    W : (d, m) float array
        Input weights.
    b : (m,) float array
        Biases.
    V : (m, k) float array
        Readout weights.
    c : (k,) float array
        Readout biases.
    merging : theory.measures.merging.Merging
        Kept units, and the others as multiples of them plus a constant.

    Returns
    -------
    W, b, V, c : arrays
        Weights and biases of the smaller network, shaped as the arguments with the number of kept units for m.

    References
    ----------
    Derived in :mod:`theory.measures.merging`.

    Examples
    --------
    Two units, the second twice the first:

    >>> from theory.measures.merging import merge_repeated
    >>> from theory.moments import Moments
    >>> x, W, V = np.array([[1.0], [2.0], [4.0]]), np.array([[1.0, 2.0]]), np.array([[1.0], [1.0]])
    >>> merging = merge_repeated(Moments.from_samples({"h": x @ W}), "h", threshold=0.9)
    >>> small = smaller_network(W, np.zeros(2), V, np.zeros(1), merging)
    >>> np.allclose(x @ small[0] @ small[2] + small[3], x @ W @ V)
    True
    """
    V = floats(V, "V")
    index = np.cumsum(merging.kept) - 1
    small = np.zeros((int(merging.kept.sum()), V.shape[1]))
    used = merging.slope != 0
    np.add.at(small, index[merging.representative[used]], merging.slope[used, None] * V[used])
    return W[:, merging.kept], b[merging.kept], small, c + merging.offset @ V
