"""Nulls by permutation, on a stored, bounded subset of rows.

A similarity has to be compared with its value for unrelated features of the same widths, spectra and number of rows. Permuting
the rows of a block against the others keeps that block's own moments and breaks all dependence between blocks (the null of span
error, CKA, CCA, Procrustes). Permuting each unit by itself also breaks the dependence within a block (the null of repeated
units, predictability, effective rank).
"""

from collections.abc import Callable, Sequence

import numpy as np

from lab.arrays import floats, real
from lab.errors import InputError
from theory.measures.rows import Rows, count_rows
from theory.moments import Moments

__all__ = ["permutation_null", "shuffled_moments", "shuffled_rows", "subset_rows"]


def subset_rows(rows: Rows, limit: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """A random subset of the rows, the same in every block and in their original order.

    Parameters
    ----------
    rows : mapping of str to ndarray of shape (rows, units)
        Blocks of the same rows.
    limit : int
        Largest number of rows to keep, at least 1.
    rng : numpy.random.Generator
        Draws the subset.

    Returns
    -------
    dict of str to ndarray

    Raises
    ------
    InputError
        Blocks of different numbers of rows, or a limit below 1.

    Examples
    --------
    >>> x = np.arange(10)[:, None]
    >>> few = subset_rows({"a": x, "b": -x}, 3, np.random.default_rng(0))
    >>> few["a"].shape, bool((few["a"] == -few["b"]).all())
    ((3, 1), True)
    """
    n = count_rows(rows)
    if limit < 1:
        raise InputError(f"keep at least one row, not {limit}")
    if n <= limit:
        return dict(rows)
    chosen = np.sort(rng.choice(n, size=limit, replace=False))
    return {name: real(block, f"block {name!r}")[chosen] for name, block in rows.items()}


def shuffled_rows(rows: Rows, rng: np.random.Generator, *, blocks: Sequence[str] | None = None,
                  each_unit: bool = False) -> dict[str, np.ndarray]:
    """Rows with the named blocks permuted, each by its own permutation.

    Parameters
    ----------
    rows : mapping of str to ndarray of shape (rows, units)
        Blocks of the same rows.
    rng : numpy.random.Generator
        Draws the permutations.
    blocks : sequence of str, optional
        Blocks to permute (default: all but the first; with ``each_unit`` all).
    each_unit : bool, default False
        Whether to permute every unit by itself.

    Returns
    -------
    dict of str to ndarray

    Raises
    ------
    InputError
        A block that does not exist, or none to permute.

    Examples
    --------
    >>> x = np.arange(5)[:, None]
    >>> moved = shuffled_rows({"a": x, "b": x}, np.random.default_rng(0))
    >>> moved["a"].ravel(), sorted(moved["b"].ravel().tolist())
    (array([0, 1, 2, 3, 4]), [0, 1, 2, 3, 4])
    """
    n = count_rows(rows)
    if blocks is None:
        blocks = list(rows) if each_unit else list(rows)[1:]
    missing = set(blocks) - set(rows)
    if missing or not blocks:
        raise InputError(f"no blocks {sorted(missing)} to shuffle" if missing else "there is no second block to shuffle")
    out = dict(rows)
    for name in blocks:
        block = real(rows[name], f"block {name!r}")
        out[name] = rng.permuted(block, axis=0) if each_unit else block[rng.permutation(n)]
    return out


def shuffled_moments(rows: Rows, rng: np.random.Generator, *, blocks: Sequence[str] | None = None,
                     each_unit: bool = False) -> Moments:
    """Moments of :func:`shuffled_rows`.

    Parameters
    ----------
    rows : mapping of str to ndarray of shape (rows, units)
        Blocks of the same rows.
    rng : numpy.random.Generator
        Draws the permutations.
    blocks : sequence of str, optional
        As in :func:`shuffled_rows`.
    each_unit : bool, default False
        As in :func:`shuffled_rows`.

    Returns
    -------
    Moments

    Raises
    ------
    InputError
        As :func:`shuffled_rows`.

    Examples
    --------
    >>> x = np.arange(100.0)
    >>> m = shuffled_moments({"a": x, "b": x}, np.random.default_rng(0))
    >>> abs(m.covariance("a", "b").item() / m.variance("a").item()) < 0.5
    True
    """
    return Moments.from_samples(shuffled_rows(rows, rng, blocks=blocks, each_unit=each_unit))


def permutation_null(measure: Callable[..., float | np.ndarray], rows: Rows, rng: np.random.Generator, *,
                     score_rows: Rows | None = None, repeats: int = 20, blocks: Sequence[str] | None = None,
                     each_unit: bool = False) -> np.ndarray:
    """Values of a measure on shuffled rows.

    Parameters
    ----------
    measure : callable
        ``measure(moments)``, or ``measure(fit, score)`` if ``score_rows`` is given; returns a number or an array.
    rows : mapping of str to ndarray of shape (rows, units)
        Blocks of the same rows.
    rng : numpy.random.Generator
        Draws the permutations.
    score_rows : mapping of str to ndarray of shape (rows, units), optional
        Rows to score on, shuffled likewise and independently.
    repeats : int, default 20
        Number of independent shuffles.
    blocks : sequence of str, optional
        As in :func:`shuffled_rows`.
    each_unit : bool, default False
        As in :func:`shuffled_rows`.

    Returns
    -------
    ndarray of shape (repeats, ...)

    Raises
    ------
    InputError
        Fewer than one repeat; as :func:`shuffled_rows`.

    Examples
    --------
    >>> from theory.measures import linear_cka
    >>> x = np.random.default_rng(0).normal(size=(200, 2))
    >>> null = permutation_null(lambda m: linear_cka(m, "a", "b"), {"a": x, "b": x}, np.random.default_rng(1), repeats=5)
    >>> null.shape, bool(null.max() < 0.1)
    ((5,), True)
    """
    if repeats < 1:
        raise InputError(f"a null needs at least one repeat, not {repeats}")
    values = []
    for _ in range(repeats):
        splits = [rows] if score_rows is None else [rows, score_rows]
        values.append(measure(*(shuffled_moments(s, rng, blocks=blocks, each_unit=each_unit) for s in splits)))
    return floats(values, "values")
