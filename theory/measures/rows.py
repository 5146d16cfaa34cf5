"""Rows of feature blocks, for measures that need more than moments: checked, and put side by side.

A set of rows maps the name of each block to an array of shape (rows, units). Fitted measures take two sets, and refuse to be
scored on the rows that they were fitted on.
"""

from collections.abc import Mapping

import numpy as np

from lab.arrays import floats, power_of_two, real
from lab.errors import InputError
from theory.moments.layout import Names, listed

__all__: list[str] = []

Rows = Mapping[str, np.ndarray]


def count_rows(rows: Rows) -> int:
    """Number of rows, which has to be the same in every block."""
    counts = {name: len(block) for name, block in rows.items()}
    if len(set(counts.values())) != 1:
        raise InputError(f"all blocks need the same number of rows, got {counts or 'no blocks'}")
    return next(iter(counts.values()))


def fit_and_score(fit: Rows, score: Rows, names: Names) -> tuple[np.ndarray, np.ndarray]:
    """The named blocks of fit and score rows, in units of a power of two near the largest of the fit rows."""
    if fit is score or any(fit.get(name) is score.get(name) is not None for name in listed(names)):
        raise InputError("fit and score are the same rows: score on rows that the fit has not seen")
    x = side_by_side(fit, names)
    unit = power_of_two(np.abs(x).max())
    return x / unit, side_by_side(score, names) / unit


def side_by_side(rows: Rows, names: Names) -> np.ndarray:
    """The named blocks as one float64 array of shape (rows, units)."""
    if not count_rows(rows):
        raise InputError("no rows")
    names = listed(names)
    missing = [name for name in names if name not in rows]
    if missing or not names:
        raise InputError(f"no blocks {missing} among {', '.join(rows)}" if missing else "name at least one block")
    return np.hstack([as_matrix(rows[name], f"block {name!r}") for name in names])


def as_matrix(block: np.ndarray, name: str = "features") -> np.ndarray:
    """One block as finite float64 numbers of shape (rows, units); a vector is a single unit."""
    block = floats(block, name)
    block = block[:, None] if block.ndim == 1 else block
    if block.ndim != 2 or not block.size:
        raise InputError(f"features need shape (rows, units), got {block.shape}")
    if not np.isfinite(block).all():
        raise InputError("features that are not finite (NaN or infinity)")
    return block


def class_labels(rows: Rows, name: str) -> np.ndarray:
    """The named block as a vector of whole numbers, one class per row."""
    if name not in rows:
        raise InputError(f"no block {name!r} among {', '.join(rows)}")
    labels = real(rows[name], f"block {name!r}")
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise InputError(f"labels must be a vector of whole numbers, got {labels.dtype} of shape {labels.shape}")
    return labels
