"""The positions of named blocks among all units, and linear maps between blocks."""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from lab.arrays import floats
from lab.errors import InputError
from theory.moments.accumulate import LEAST

Names = str | Sequence[str]  # one block, or several side by side
Slices = dict[str, slice]
Term = tuple[slice, np.ndarray | None]  # position of an old block, and its map, None for the identity


def listed(names: Names) -> tuple[str, ...]:
    """One block's name, or several, as a tuple."""
    return (names,) if isinstance(names, str) else tuple(names)


def lay_out(widths: Mapping[str, int]) -> Slices:
    """Positions of blocks of these widths, one after the other.

    Raises
    ------
    InputError
        No block, a block without units, or a name that is not a string.
    """
    if not widths:
        raise InputError("no feature blocks: give {name: array}")
    slices, start = {}, 0
    for name, width in widths.items():
        if not isinstance(name, str) or not name:
            raise InputError(f"a block's name must be a non-empty string, not {name!r}")
        if int(width) < 1:
            raise InputError(f"block {name!r} has no units")
        slices[name] = slice(start, start + int(width))
        start += int(width)
    return slices


def length(place: slice) -> int:
    """Units of a block."""
    return place.stop - place.start


def find(slices: Slices, names: Names) -> list[slice]:
    """Positions of the named blocks.

    Raises
    ------
    InputError
        No name, or a name without a block.
    """
    names = listed(names)
    if not names:
        raise InputError("name at least one feature block")
    for name in names:
        if name not in slices:
            raise InputError(f"no feature block {name!r}; there are {', '.join(slices) or 'none'}")
    return [slices[name] for name in names]


def consecutive(slices: Iterable[slice]) -> list[tuple[slice, slice]]:
    """Pairs of slices: the position of each block once all are put side by side, and its given one."""
    pairs, start = [], 0
    for place in slices:
        pairs.append((slice(start, start + length(place)), place))
        start += length(place)
    return pairs


def checked_law(mean: npt.ArrayLike, covariance: npt.ArrayLike, total: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of a distribution of ``total`` units, as new float64 arrays.

    Raises
    ------
    InputError
        Shapes that do not fit, values that are not finite, or a matrix that is not a covariance.
    """
    mean, covariance = floats(mean, "mean").copy(), floats(covariance, "covariance")
    if mean.shape != (total,) or covariance.shape != (total, total):
        raise InputError(f"{total} units need a mean of shape ({total},) and a covariance of shape "
                         f"({total}, {total}), got {mean.shape} and {covariance.shape}")
    if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
        raise InputError("mean or covariance has values that are not finite")
    scale = np.sqrt(np.clip(np.diag(covariance), 0, None))
    bound = np.outer(scale, scale) * (1 + 1e-9) + 1e-14 * float(scale.max(initial=0.0)) ** 2
    if np.any(np.abs(covariance) > bound):
        raise InputError("the matrix is not a covariance: an entry exceeds the product of its standard deviations")
    if np.any(np.abs(covariance - covariance.T) > 1e-9 * bound):
        raise InputError("the covariance is not symmetric")
    return mean, (covariance + covariance.T) / 2


def checked_maps(slices: Slices, maps: Mapping[str, Mapping[str, np.ndarray | None]]) -> dict[str, list[Term]]:
    """The terms of each new block, with their shapes checked.

    Raises
    ------
    InputError
        No map, or a map whose shape or values do not fit.
    """
    if not maps:
        raise InputError("no new feature blocks asked for")
    terms: dict[str, list[Term]] = {}
    for new, sources in maps.items():
        if not sources:
            raise InputError(f"no map leads to {new!r}")
        terms[new] = [_checked_map(slices, old, new, matrix) for old, matrix in sources.items()]
        if len({_units(term) for term in terms[new]}) > 1:
            raise InputError(f"the maps to {new!r} disagree on its number of units")
    return terms


def _checked_map(slices: Slices, old: str, new: str, matrix: np.ndarray | None) -> Term:
    (place,) = find(slices, old)
    if matrix is None:
        return place, None
    matrix = floats(matrix, f"the map from {old!r} to {new!r}")
    if matrix.ndim != 2 or matrix.shape[0] != length(place):
        raise InputError(f"the map from {old!r} to {new!r} needs {length(place)} rows, got shape {matrix.shape}")
    if not np.isfinite(matrix).all():
        raise InputError(f"the map from {old!r} to {new!r} has values that are not finite")
    return place, matrix


def _units(term: Term) -> int:
    """Units of the block that a term contributes to."""
    place, matrix = term
    return length(place) if matrix is None else matrix.shape[1]


def widths_of(terms: Mapping[str, list[Term]]) -> dict[str, int]:
    """Units of each new block."""
    return {new: _units(parts[0]) for new, parts in terms.items()}


def checked_offset(name: str, offset: np.ndarray | None, width: int) -> np.ndarray:
    """The offset of a new block, 0 if none is given.

    Raises
    ------
    InputError
        The wrong number of values, or values that are not finite.
    """
    offset = np.zeros(width) if offset is None else floats(offset, f"the offset of {name!r}")
    if offset.shape != (width,) or not np.isfinite(offset).all():
        raise InputError(f"the offset of {name!r} must be {width} finite numbers")
    return offset


def mapped(columns: np.ndarray, terms: list[Term]) -> np.ndarray:
    """The sum over old blocks of ``columns[..., old] @ map``: shape (..., units of the new block)."""
    products = [columns[..., place] if matrix is None else columns[..., place] @ matrix for place, matrix in terms]
    return sum(products, start=np.zeros(()))


def refuse_vanishing(terms: Mapping[str, list[Term]], deviation: np.ndarray) -> None:
    """Refuse maps to features so small that their squares underflow. Differences that cancel are allowed.

    Parameters
    ----------
    terms : mapping of str to list of Term
        Terms of each new block.
    deviation : ndarray of shape (units,)
        Standard deviations of the old units.

    Raises
    ------
    InputError
        If there is such a map.
    """
    for new, parts in terms.items():
        reach = sum(float(deviation[place].max()) * (1.0 if matrix is None else float(np.abs(matrix).max()))
                    for place, matrix in parts)
        if 0 < reach < math.sqrt(LEAST):
            raise InputError(f"features {new!r} are so small that their squares vanish: multiply them by a power of two")
