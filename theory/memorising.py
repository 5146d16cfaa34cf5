"""Fitting labels on a closed curve: the number of class changes that it takes, and the test error that label noise leaves.

Samples have angles uniform on the circle and the classes of sign sin(kθ). A share η of the labels is redrawn with equal chances,
so that q = η/2 of them are flipped. A classifier that fits n such samples changes class along the curve at least as often as the
samples do in their order. The gap between two neighbours, in turns, has P(gap > g) = (1 − g)^(n−1). With 2k equal arcs of true
classes, the true classes of neighbours differ with a probability that is a triangular wave of the gap; its mean, by parts, is D.
So (derived here)

    n D = 2k Σ_{m<2k} (−1)^m [(1 − m/2k)^n − (1 − (m+1)/2k)^n],       changes = n [(1 − D) f + D (1 − f)],   f = 2q(1 − q),

which is 2k for many clean samples and n/2 for random labels. No classifier has an error below q on fresh samples that are
labelled in the same way.

Source: the public discussion of S2 for the setting; the formula is derived here.
"""

from collections.abc import Iterator

import numpy as np

from lab import checks
from theory.derivation import Prediction, monte_carlo


def class_changes(samples: int, waves: int, label_noise: float = 0.0) -> float:
    """Expected number of class changes from sample to sample around the circle.

    Parameters
    ----------
    samples : int
        Number n of samples, at least 1.
    waves : int
        Number k of waves, at least 1.
    label_noise : float, default 0
        Share η of the labels that are redrawn at random, in [0, 1].

    Returns
    -------
    float
        In [0, n].

    Raises
    ------
    InputError
        Numbers out of range.

    References
    ----------
    Derived here, see :mod:`theory.memorising`.

    Examples
    --------
    >>> [round(class_changes(n, 3), 2) for n in (1, 10, 1000)], class_changes(60, 3, 1.0)
    ([0.0, 4.26, 6.0], 30.0)
    """
    n, k = checks.whole_number("samples", samples), checks.whole_number("waves", waves)
    q = checks.real_number("label_noise", label_noise, least=0, most=1) / 2
    if n == 1:
        return 0.0
    beyond = (1 - np.arange(2 * k + 1) / (2 * k)) ** n
    true = 2 * k * float(np.sum((-1.0) ** np.arange(2 * k) * (beyond[:-1] - beyond[1:])))
    flipped = 2 * q * (1 - q)
    return (n - true) * flipped + true * (1 - flipped)


def _check_changes(rng: np.random.Generator) -> Iterator[Prediction]:
    """Changes between random samples in their order around the circle."""
    for n, k, noise in ((7, 2, 0.0), (12, 3, 0.4), (5, 1, 1.0)):
        theta = np.sort(rng.random((20000, n)), axis=1)
        labels = np.sin(2 * np.pi * k * theta) > 0
        labels = np.where(rng.random(labels.shape) < noise, rng.random(labels.shape) < 0.5, labels)
        yield monte_carlo(f"memorising: n = {n}, k = {k}, noise {noise}", class_changes(n, k, noise),
                          (labels != np.roll(labels, 1, axis=1)).sum(1))


CHECKS = {"memorising": _check_changes}
