"""Summaries of a curve of test errors over size or time: where it peaks, and whether its far end beats the best value before.

Sizes are parameters over equations: a network with c outputs has c equations per sample. The same functions serve simulated
curves (:mod:`toy.double_descent`) and curves of real networks (:mod:`empirical.studies.solutions.descent`). Belkin et al. 2019
(arXiv 1812.11118) and Nakkiran et al. 2020 (arXiv 1912.02292) show such curves.

Wrong labels as noise of a regression (derived here): of c equally frequent classes, a share q of the labels is replaced by one of
the other classes. The indicator of a class among the labels, y, has the mean a t + b given that among the true classes, t, with

    a = 1 − q c/(c − 1),        Var y = Var t,        so        noise over signal = (Var y − a² Var t)/(a² Var t) = 1/a² − 1.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from lab import checks
from lab.errors import InputError
from lab.estimate import Estimate, mean_interval
from theory.derivation import Prediction, derivation, monte_carlo

if TYPE_CHECKING:
    from theory.derivation.steps import Derivation

__all__ = ["label_noise_variance", "over_best_below", "peak_place", "rise_at_end", "second_fall"]


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


def label_noise_variance(share: float, classes: int = 10) -> float:
    """Variance of the noise that wrong labels add to the indicator of a class, over that of the signal.

    Parameters
    ----------
    share : float
        Share q of wrong labels, in [0, 1), each of them one of the other classes.
    classes : int, default 10
        Classes c, at least 2, equally frequent.

    Returns
    -------
    float
        At least 0.

    Raises
    ------
    InputError
        For numbers out of range, or where the labels say nothing about the classes, q = 1 − 1/c.

    References
    ----------
    Derived here, see :mod:`theory.descent`.

    Examples
    --------
    >>> label_noise_variance(0.0), round(label_noise_variance(0.4), 2)
    (0.0, 2.24)
    """
    c = checks.whole_number("classes", classes, 2)
    kept = 1 - checks.real_number("share", share, least=0, below=1) * c / (c - 1)
    if abs(kept) < 1e-12:
        raise InputError(f"labels of {c} classes, {share:g} of them wrong, say nothing about the classes")
    return 1 / kept**2 - 1


@derivation("descent-label-noise", "Wrong labels are noise of variance 1/a^2 - 1, relative to the signal.", "derived here",
            symbols={"q": "share of wrong labels", "c": "classes", "a": "slope of the label's indicator in the true one's"})
def derive_label_noise(d: "Derivation") -> object:
    """Probabilities of the label's indicator given the true one's, then its variance."""
    import sympy as sp

    q, c = sp.symbols("q c", positive=True)
    if_true, if_other = 1 - q, q / (c - 1)
    a = d.step("P(label k | class k) - P(label k | another class) =", sp.simplify(if_true - if_other))
    marginal = sp.simplify(if_true / c + if_other * (c - 1) / c)
    d.vanishes("Labels are as frequent as classes, so their indicators have the variance (1/c)(1 - 1/c), too.", marginal - 1 / c)
    variance = (1 / c) * (1 - 1 / c)
    ratio = d.step("Variance that the signal a t does not explain, over a^2 Var t.",
                   sp.simplify((variance - a**2 * variance) / (a**2 * variance)))
    slope = 1 - q * c / (c - 1)
    d.vanishes("It is 1/a^2 - 1, a = 1 - q c/(c - 1).", sp.simplify(ratio - (1 / slope**2 - 1)))
    return d.conclude(1 / slope**2 - 1)


def _check_label_noise(rng: np.random.Generator) -> Iterator[Prediction]:
    """Labels drawn: their indicator minus its regression on that of the true class."""
    for share, classes in ((0.4, 10), (0.2, 3)):
        true = rng.integers(classes, size=100_000)
        wrong = (true + rng.integers(1, classes, size=true.size)) % classes
        label = np.where(rng.random(true.size) < share, wrong, true)
        kept = 1 - share * classes / (classes - 1)
        residual = (label == 0) - 1 / classes - kept * ((true == 0) - 1 / classes)
        signal = kept**2 * (classes - 1) / classes**2
        yield monte_carlo(f"label noise {share:g}, {classes} classes", label_noise_variance(share, classes), residual**2 / signal)


DERIVATIONS = {"descent-label-noise": derive_label_noise}
CHECKS = {"descent-label-noise": _check_label_noise}
