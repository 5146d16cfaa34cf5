"""Summaries of a curve of test errors over size or time: where it peaks, and whether its far end beats the best value before.

Sizes are parameters over equations: a network with c outputs has c equations per sample. The same functions serve simulated
curves (:mod:`toy.double_descent`) and curves of real networks (:mod:`empirical.studies.solutions.descent`). Belkin et al. 2019
(arXiv 1812.11118) and Nakkiran et al. 2020 (arXiv 1912.02292) show such curves.
"""

import numpy as np

from lab.estimate import Estimate, mean_interval

__all__ = ["over_best_below", "peak_place", "rise_at_end", "second_fall"]


def peak_place(ratios: np.ndarray, risks: np.ndarray) -> float:
    """Size at which a curve of risks peaks: the top of the parabola through its highest point and its two neighbours.

    Both axes are logarithmic. A highest point at an end of the curve is returned as it is.

    Parameters
    ----------
    ratios : (F,) array, positive, ascending
        Sizes: parameters over equations.
    risks : (F,) array, positive
        Test risk at each size.

    Returns
    -------
    float
        The size at the peak.

    Examples
    --------
    >>> peak_place(np.array([0.5, 1.0, 2.0]), np.array([2.0, 8.0, 2.0]))
    1.0
    """
    i = int(np.argmax(risks))
    if i in (0, len(risks) - 1):
        return float(ratios[i])
    a, b, _ = np.polyfit(x := np.log(ratios[i - 1:i + 2]), np.log(risks[i - 1:i + 2]), 2)
    return float(np.exp(-b / (2 * a) if a < 0 else x[1]))


def over_best_below(risks: np.ndarray, ratios: np.ndarray) -> list[Estimate | None]:
    """Risk at every size over the best risk with fewer parameters than equations, as geometric means.

    The best size is chosen on every second replica, and the ratios are taken within each of the others: chosen and evaluated on
    the same replicas, the best of several sizes would look better than it is.

    Parameters
    ----------
    risks : (F, replicas) array, positive
        Test risk at each size in each replica.
    ratios : (F,) array
        Sizes: parameters over equations.

    Returns
    -------
    list of Estimate or None
        One per size; None if no size is below one, or there is only one replica.

    Examples
    --------
    >>> ratios = over_best_below(np.array([[4.0, 4.0, 4.0, 4.0], [1.0, 1.0, 2.0, 2.0]]), np.array([0.5, 2.0]))
    >>> round(ratios[1].mean, 3)
    0.354
    """
    below = np.flatnonzero(ratios < 1)
    if below.size == 0 or risks.shape[1] < 2:
        return [None] * len(risks)
    best = below[np.argmin(np.log(risks[below, ::2]).mean(axis=1))]
    return [mean_interval(row, log=True) for row in risks[:, 1::2] / risks[best, 1::2]]


def rise_at_end(risks: np.ndarray) -> np.ndarray:
    """Excess of the risk at the largest size over the least risk at any smaller size, replica by replica.

    The size of the least risk is chosen on every second replica, and the difference is taken in the others.

    Parameters
    ----------
    risks : (F, replicas) array
        Test risk at each size, in ascending order, in each replica.

    Returns
    -------
    (replicas // 2,) array
        Risk at the largest size minus that at the best smaller one; below zero where the risk falls to the end.

    Examples
    --------
    >>> rise_at_end(np.array([[3.0, 3.0], [1.0, 1.0], [2.0, 2.5]]))
    array([1.5])
    """
    best = int(np.argmin(risks[:-1, ::2].mean(axis=1)))
    return risks[-1, 1::2] - risks[best, 1::2]


def second_fall(risks: np.ndarray) -> np.ndarray:
    """Height of the hump in a curve during training: the smaller of its rise and the fall that follows, for each replica.

    The start and end of the rise are chosen on every second replica, and the hump is measured on the others.

    Parameters
    ----------
    risks : (looks, replicas) array
        Test risk after increasing numbers of epochs (at least three), for each replica.

    Returns
    -------
    (replicas // 2,) array
        At most zero for a curve that only falls, or rises to its end.

    Examples
    --------
    >>> second_fall(np.array([[9.0, 9.0], [2.0, 2.0], [5.0, 4.0], [1.0, 3.0]]))
    array([1.])
    """
    def hump(curves: np.ndarray, valley: int, top: int) -> np.ndarray:
        return np.minimum(curves[top] - curves[valley], curves[top] - curves[-1])

    mean = risks[:, ::2].mean(axis=1)
    pairs = [(valley, top) for top in range(1, len(mean) - 1) for valley in range(top)]
    return hump(risks[:, 1::2], *max(pairs, key=lambda pair: hump(mean, *pair)))
