"""Splits of the rows: a part to fit regressions on, a part to choose their ridge on, and a part to score them on.

The three parts share no row and no group. A group is a set of rows that belong together (tokens of a sentence, crops of an image,
several images of a person); if it were on both sides, regressions would be scored on rows that they have all but seen.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lab import checks
from lab.errors import InputError
from lab.streams import generator
from theory.compare.blocks import vector
from theory.compare.sites import PARTS

HELD_OUT = 0.5  # share of the rows for the score
TUNED = 0.25  # share of the other rows on which the ridge is chosen


@dataclass(frozen=True)
class Split:
    """Row numbers of the parts, in increasing order.

    Attributes
    ----------
    fit, tune, score : ndarray of int, shape (rows of the part,)
        Row numbers of each part.
    groups : ndarray of int, shape (all rows,)
        Number of each row's group; without groups, each row has its own.
    how : str
        How the split was made, in words.
    """

    fit: np.ndarray
    tune: np.ndarray
    score: np.ndarray
    groups: np.ndarray
    how: str

    @property
    def both(self) -> np.ndarray:
        """Rows of the final fit of regressions."""
        return np.sort(np.concatenate([self.fit, self.tune]))

    @property
    def grouped(self) -> bool:
        """Whether any group has more than one row."""
        return int(self.groups.max()) + 1 < len(self.groups)


def split_rows(n: int, *, split=HELD_OUT, groups=None, seed: int = 0) -> Split:
    """Split rows into the three parts.

    Parameters
    ----------
    n : int
        Number of rows.
    split : float, mapping or array, default 0.5
        Share of the rows to hold out, in (0, 1), drawn at random. Or your own split: a mapping with row numbers or a mask
        for each of ``fit``, ``score`` and, optionally, ``tune``; or a vector with the name of each row's part. Without ``tune``,
        a quarter of ``fit`` is drawn for it. Rows in no part are left out.
    groups : array of shape (n,), optional
        Rows with the same value belong together; by default every row is a group.
    seed : int, default 0
        Seed of the draws.

    Raises
    ------
    InputError
        Parts that share rows or groups, or too few rows.
    """
    codes = np.arange(n)
    if groups is not None:
        groups = vector(groups, "groups")
        if len(groups) != n:
            raise InputError(f"there are {n:,} rows and {len(groups):,} groups: give one for each row", "groups")
        codes = np.unique(groups, return_inverse=True)[1]
    rng = generator(seed, "feature comparison", "split")
    if isinstance(split, Mapping) or np.ndim(split) == 1:
        parts = _own(n, split)
        _disjoint(parts, codes)
        how = "as given"
        if "tune" not in parts:
            parts["tune"], parts["fit"] = _drawn(parts["fit"], codes, TUNED, rng)
            how += f", {TUNED:.0%} of fit drawn for tune"
    else:
        share = checks.real_number("split", split, above=0, below=1)
        score, others = _drawn(np.arange(n), codes, share, rng)
        tune, fit = _drawn(others, codes, TUNED, rng)
        parts, how = {"fit": fit, "tune": tune, "score": score}, f"drawn at random{' by group' if groups is not None else ''}"
    for name in PARTS:
        if len(parts[name]) < 2:
            raise InputError(f"the part {name} of the split has {len(parts[name])} rows: give more rows"
                             + (" or smaller groups" if groups is not None else ""), "split")
    fit, tune, score = (np.sort(parts[name]) for name in PARTS)
    return Split(fit, tune, score, codes, how)


def _drawn(rows: np.ndarray, codes: np.ndarray, share: float, rng) -> tuple[np.ndarray, np.ndarray]:
    """A random share of the rows, by whole groups, and the other rows."""
    names, inverse, sizes = np.unique(codes[rows], return_inverse=True, return_counts=True)
    order = rng.permutation(len(names))
    reached = np.cumsum(sizes[order])
    taken = np.zeros(len(names), bool)
    taken[order[:max(1, int(np.searchsorted(reached, share * len(rows), side="right")))]] = True
    return rows[taken[inverse]], rows[~taken[inverse]]


def _own(n: int, split) -> dict[str, np.ndarray]:
    if not isinstance(split, Mapping):
        words = vector(split, "split")
        if len(words) != n:
            raise InputError(f"there are {n:,} rows and {len(words):,} entries of the split: give one for each row", "split")
        split = {name: words == name for name in np.unique(words).tolist() if name in PARTS}
    parts = {}
    for name, rows in split.items():
        rows = np.asarray(rows)
        if name not in PARTS or rows.ndim != 1 or rows.dtype.kind not in "iub" or (rows.dtype.kind == "b" and len(rows) != n):
            raise InputError(f"a split has row numbers or masks of {', '.join(PARTS)}, not {name!r}: {rows.dtype} of shape "
                             f"{rows.shape}", "split")
        rows = np.flatnonzero(rows) if rows.dtype.kind == "b" else rows
        if len(rows) and not 0 <= rows.min() <= rows.max() < n:
            raise InputError(f"part {name} of the split has row numbers outside 0 … {n - 1}", "split")
        parts[name] = rows
    if missing := {"fit", "score"} - set(parts):
        raise InputError(f"the split has no part {min(missing)}", "split")
    return parts


def _disjoint(parts: dict[str, np.ndarray], codes: np.ndarray) -> None:
    names = list(parts)
    for i, name in enumerate(names):
        if len(np.unique(parts[name])) < len(parts[name]):
            raise InputError(f"part {name} of the split names a row twice", "split")
        for other in names[:i]:
            for what, a, b in (("rows", parts[name], parts[other]), ("groups", codes[parts[name]], codes[parts[other]])):
                if common := len(np.intersect1d(a, b)):
                    raise InputError(f"the split leaks: parts {other} and {name} share {common:,} {what}; rows of the fit cannot "
                                     "be scored on", "split")


def mispaired(split: Split, part: np.ndarray, rng) -> np.ndarray:
    """For each row of a part, a row of another group in it: pairing features of these makes a null.

    Groups are put into a random order, one after the other, and each row gets the row that precedes it by the size of the largest
    group. If every row is a group of its own, this is a single random cycle.
    """
    codes = np.unique(split.groups[part], return_inverse=True)[1]
    order = np.argsort(rng.permutation(int(codes.max()) + 1)[codes], kind="stable")
    largest = int(np.bincount(codes).max())
    other = np.empty(len(part), int)
    other[order] = np.roll(order, largest if largest < len(part) else 1)
    return part[other]
