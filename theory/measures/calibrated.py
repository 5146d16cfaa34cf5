"""Calibrated similarity: a similarity of two sets of features, compared with that of the same features with shuffled rows.

Few rows, many units and their spectra make unrelated features look alike, and wide ones more than narrow ones. Shuffling the
rows of one side keeps all of that and breaks the dependence. With s the similarity, s_1 … s_R those of R shuffles, s̄ their mean,

    score = (s − s̄) / (1 − s̄),        p = (1 + #{s_r ≥ s}) / (R + 1).

The score is 0 on average for unrelated features and 1 where the measure is 1. The p-value is exact: the probability of a
similarity at least as large, if the rows are exchangeable and the sides unrelated.

The matrices of all pairs of rows (inner products for CKA, nearest rows for :func:`~theory.measures.shared_neighbours`) are
computed once and permuted.

Sources: arXiv 2602.14486 for calibrating by permutation; Phipson & Smyth 2010 (Stat. Appl. Genet. Mol. Biol. 9, 39) for the
p-value.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lab import checks
from lab.arrays import power_of_two
from lab.errors import InputError
from theory.measures.neighbours import nearest_rows
from theory.measures.rows import as_matrix

__all__ = ["Calibrated", "calibrated", "calibrated_cka", "calibrated_neighbours"]


@dataclass(frozen=True)
class Calibrated:
    """A similarity, and those of shuffled rows.

    Attributes
    ----------
    value : float
        The similarity, at most 1.
    null : ndarray of shape (repeats,)
        The similarity after each shuffle.

    Examples
    --------
    >>> similarity = Calibrated(0.6, np.array([0.1, 0.3]))
    >>> round(similarity.score, 4), round(similarity.p, 4)
    (0.5, 0.3333)
    """

    value: float
    null: np.ndarray

    @property
    def score(self) -> float:
        """Distance of the similarity from the null's mean, as a share of the distance from there to 1."""
        expected = float(self.null.mean())
        if not expected < 1:
            raise InputError("shuffled rows reach the largest similarity: the measure says nothing about these features")
        return (self.value - expected) / (1 - expected)

    @property
    def p(self) -> float:
        """Probability of a similarity at least as large if the two sides were unrelated, in [1/(repeats + 1), 1]."""
        return float((1 + np.sum(self.null >= self.value)) / (1 + len(self.null)))


def calibrated(measure: Callable[[np.ndarray, np.ndarray], float], x: np.ndarray, y: np.ndarray, rng: np.random.Generator, *,
               repeats: int = 99) -> Calibrated:
    """Any similarity of rows, calibrated by shuffled rows.

    Parameters
    ----------
    measure : callable
        ``measure(x, y)`` returns a number.
    x : ndarray of shape (rows, units of x)
        At least 4 rows.
    y : ndarray of shape (rows, units of y)
        The same rows.
    rng : numpy.random.Generator
        Draws the permutations.
    repeats : int, default 99
        Number R of shuffles.

    Returns
    -------
    Calibrated

    Raises
    ------
    InputError
        Shapes that do not fit, values that are not finite; or raised by the measure.

    References
    ----------
    arXiv 2602.14486.

    Examples
    --------
    >>> from theory.measures import debiased_cka
    >>> x, y = np.random.default_rng(0).normal(size=(2, 30, 3))
    >>> calibrated(debiased_cka, x, x + y, np.random.default_rng(1)).p
    0.01
    """
    x, y = _rows(x, y)
    checks.whole_number("repeats", repeats)
    return Calibrated(float(measure(x, y)), np.array([measure(x, y[rng.permutation(len(y))]) for _ in range(repeats)]))


def calibrated_cka(x: np.ndarray, y: np.ndarray, rng: np.random.Generator, *, repeats: int = 99) -> Calibrated:
    """Linear CKA, calibrated by shuffled rows.

    Parameters
    ----------
    x : ndarray of shape (rows, units of x)
        At least 4 rows; the products of all pairs are held in memory.
    y : ndarray of shape (rows, units of y)
        The same rows.
    rng : numpy.random.Generator
        Draws the permutations.
    repeats : int, default 99
        Number R of shuffles.

    Returns
    -------
    Calibrated

    Raises
    ------
    InputError
        Shapes that do not fit, values that are not finite, features that do not vary.

    References
    ----------
    arXiv 2602.14486.

    Examples
    --------
    >>> x, y = np.random.default_rng(0).normal(size=(2, 30, 20))
    >>> similarity = calibrated_cka(x, y, np.random.default_rng(1))
    >>> bool(similarity.value > 0.3), bool(abs(similarity.score) < 0.1)
    (True, True)
    """
    x, y = _rows(x, y)
    checks.whole_number("repeats", repeats)
    sides = []
    for block in (x, y):
        block = block / power_of_two(np.abs(block).max())
        block -= block.mean(axis=0)
        products = block @ block.T
        size = np.linalg.norm(products)
        if not size > 0:
            raise InputError("features that do not vary have no CKA")
        sides.append(products / size)
    return _permuted(lambda a, b: float(np.vdot(a, b)), sides[0], sides[1], rng, repeats)


def calibrated_neighbours(x: np.ndarray, y: np.ndarray, rng: np.random.Generator, *, neighbours: int = 10,
                          repeats: int = 99) -> Calibrated:
    """Shared nearest neighbours, calibrated by shuffled rows.

    Parameters
    ----------
    x : ndarray of shape (rows, units of x)
        At least 4 rows; the distances of all pairs are held in memory.
    y : ndarray of shape (rows, units of y)
        The same rows.
    rng : numpy.random.Generator
        Draws the permutations.
    neighbours : int, default 10
        k, below the number of rows.
    repeats : int, default 99
        Number R of shuffles.

    Returns
    -------
    Calibrated

    Raises
    ------
    InputError
        Shapes that do not fit, values that are not finite, too few rows.

    References
    ----------
    Huh et al. 2024 (arXiv 2405.07987) for the measure, arXiv 2602.14486 for its calibration.

    Examples
    --------
    >>> x, y = np.random.default_rng(0).normal(size=(2, 50, 3))
    >>> similarity = calibrated_neighbours(x, x + 0.1 * y, np.random.default_rng(1), neighbours=5)
    >>> bool(similarity.score > 0.5), similarity.p
    (True, 0.01)
    """
    x, y = _rows(x, y)
    checks.whole_number("repeats", repeats)
    checks.whole_number("neighbours", neighbours, 1, max(1, len(x) - 1))
    links = len(x) * neighbours
    return _permuted(lambda a, b: np.count_nonzero(a & b) / links, nearest_rows(x, neighbours), nearest_rows(y, neighbours),
                     rng, repeats)


def _permuted(measure: Callable[[np.ndarray, np.ndarray], float], a: np.ndarray, b: np.ndarray, rng: np.random.Generator,
              repeats: int) -> Calibrated:
    """A measure of two (rows, rows) matrices, and of the second with its rows and columns permuted alike."""
    null = np.empty(repeats)
    for r in range(repeats):
        order = rng.permutation(len(b))
        null[r] = measure(a, b[order[:, None], order])
    return Calibrated(measure(a, b), null)


def _rows(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x, y = as_matrix(x, "x"), as_matrix(y, "y")
    if len(x) != len(y) or len(x) < 4:
        raise InputError(f"a calibrated similarity needs at least 4 rows, the same on both sides: {x.shape}, {y.shape}")
    checks.fits_memory(rows=len(x), rows_beside=len(x))
    return x, y
