"""Features from arrays, tensors, data frames, files and batches, and checks that their rows are the same inputs.

A block holds the features of one model, one row per input. Blocks are compared row by row, so rows in another order, or of other
inputs, give meaningless numbers; if ids show a mismatch, that is an error.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lab.arrays import is_tensor, real
from lab.errors import InputError

CHUNK = 1024  # rows processed at a time, few enough that their memory is reused


@dataclass(frozen=True)
class Block:
    """Features of one model.

    Attributes
    ----------
    name : str
        Name in messages and results.
    rows : ndarray of shape (rows, units)
        Of any real dtype; may be memory-mapped.
    ids : ndarray of shape (rows,), optional
        A unique id for each row.
    groups : ndarray of shape (rows,), optional
        Rows with the same value belong together.
    """

    name: str
    rows: np.ndarray
    ids: np.ndarray | None = None
    groups: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def units(self) -> int:
        """Number of features."""
        return self.rows.shape[1]

    def named(self, name: str) -> "Block":
        """The same block under another name."""
        return replace(self, name=name)


def block(value, name: str) -> Block:
    """Convert anything that holds features to a block.

    Parameters
    ----------
    value : array, tensor, data frame, path, iterator of batches, or Block
        Arrays and tensors have shape (rows, units), or (rows,) for a single unit. The index of a data frame becomes its ids,
        unless it is a plain range. For files see :mod:`theory.compare.files`. Batches may be any of these.
    name : str
        Name in messages; a file is named after itself.

    Raises
    ------
    InputError
        If it holds no features, or features that are not finite.
    """
    if isinstance(value, Block):
        return value
    if isinstance(value, str | os.PathLike):
        from theory.compare.files import read_block

        return _checked(read_block(value))
    if is_batches(value):
        return _checked(_gathered(value, name))
    return _checked(Block(name, _matrix(value, name), index_of(value)))


def is_batches(value) -> bool:
    """Whether this is an iterator over batches (or a loader), and not an array or a list of arrays."""
    return (hasattr(value, "__iter__") and not isinstance(value, list | tuple | Mapping | str)
            and not hasattr(value, "__array__") and not is_tensor(value))


def is_frame(value) -> bool:
    """Whether this is a pandas DataFrame or Series (or behaves as one)."""
    return hasattr(value, "to_numpy") and hasattr(value, "index") and not callable(value.index)


def index_of(value) -> np.ndarray | None:
    """The index of a data frame as ids; None without an index, or if that only numbers the rows."""
    if not is_frame(value):
        return None
    index = value.index
    plain = type(index).__name__ == "RangeIndex" and (index.start, index.step) == (0, 1)
    return None if plain else vector(index, "the index")


def vector(value, name: str) -> np.ndarray:
    """Ids, groups or labels as a vector of numbers or text."""
    if is_tensor(value):
        value = real(value, name)
    value = np.asarray(value.to_numpy() if hasattr(value, "to_numpy") else value)
    if value.dtype.kind == "O":
        value = np.array([str(part) for part in value.ravel()]).reshape(value.shape)
    if value.ndim != 1 or value.dtype.kind not in "iubUSfM":
        raise InputError(f"{name} must be a vector of numbers or words, one per row, got {value.dtype} of shape {value.shape}")
    return value


def _matrix(value, name: str) -> np.ndarray:
    rows = real(value.to_numpy() if is_frame(value) else value, name)
    rows = rows[:, None] if rows.ndim == 1 else rows
    if rows.ndim != 2:
        raise InputError(f"{name} must have shape (rows, units), got {rows.shape}: pool or flatten it")
    return rows


def _gathered(batches: Iterator, name: str) -> Block:
    parts = [Block(name, _matrix(batch, name), index_of(batch)) for batch in batches]
    if not parts:
        raise InputError(f"{name} has no batches: an iterator can be read once, so make a new one for each use")
    return joined(parts)


def joined(parts: Sequence[Block]) -> Block:
    """Concatenate batches of one block."""
    units = {part.units for part in parts}
    if len(units) > 1:
        raise InputError(f"batches of {parts[0].name} have different numbers of units: {sorted(units)}")
    ids = None if any(part.ids is None for part in parts) else np.concatenate([part.ids for part in parts])
    return Block(parts[0].name, np.concatenate([part.rows for part in parts]), ids)


def _checked(features: Block) -> Block:
    if features.rows.ndim != 2 or not features.rows.size:
        raise InputError(f"{features.name} must have shape (rows, units) and not be empty, got {features.rows.shape}")
    if features.rows.dtype.kind != "f":
        return features
    bad, first = 0, None
    for start in range(0, len(features), CHUNK):
        with np.errstate(invalid="ignore", over="ignore"):
            rows = ~np.isfinite(features.rows[start:start + CHUNK].sum(axis=1, dtype=np.float64))
        if rows.any():
            bad += int(rows.sum())
            first = start + int(rows.argmax()) if first is None else first
    if bad:
        raise InputError(f"{features.name} has {bad} {'row' if bad == 1 else 'rows'} with values that are not finite (NaN or "
                         f"infinity; the first is row {first}): leave {'it' if bad == 1 else 'them'} out of all blocks")
    return features


def match(known: Sequence[tuple[Block, object]]) -> int:
    """The number of rows, after refusing blocks whose rows are not the same.

    Parameters
    ----------
    known : sequence of (Block, ids)
        Blocks, each with the ids that the user gave for it, in addition to its own, or None. All are compared with the first.

    Raises
    ------
    InputError
        Different numbers of rows; ids in a different order, of different sets, or not unique.
    """
    first = known[0][0]
    for other, _ in known[1:]:
        if len(other) != len(first):
            raise InputError(f"{first.name} has {len(first):,} rows and {other.name} {len(other):,}: features are compared on "
                             "the same inputs, one row each")
    named = [(name, vector(ids, f"the ids of {one.name}")) for one, given in known
             for name, ids in ((one.name, one.ids), (f"{one.name} by the ids given", given)) if ids is not None]
    for name, ids in named:
        _check_unique(name, ids, len(first))
    for name, ids in named[1:]:
        _check_same(*named[0], name, ids)
    return len(first)


def groups_of(blocks: Sequence[Block]) -> np.ndarray | None:
    """The groups of the blocks; None if no block has any.

    Raises
    ------
    InputError
        If blocks have different groups.
    """
    known = [(one.name, one.groups) for one in blocks if one.groups is not None]
    for name, groups in known[1:]:
        if not np.array_equal(groups, known[0][1]):
            raise InputError(f"{known[0][0]} and {name} disagree on which rows belong together: give groups", "groups")
    return vector(known[0][1], f"the groups of {known[0][0]}") if known else None


def _check_unique(name: str, ids: np.ndarray, rows: int) -> None:
    if len(ids) != rows:
        raise InputError(f"{name} has {rows:,} rows and {len(ids):,} ids: give one for each row")
    values, counts = np.unique(ids, return_counts=True)
    if counts.max(initial=1) > 1:
        raise InputError(f"ids of {name} repeat ({values[counts.argmax()]!s} comes {counts.max()} times): an id names one row; "
                         "to say which rows belong together, use groups", "groups")


def _check_same(name: str, ids: np.ndarray, other_name: str, other: np.ndarray) -> None:
    if (ids.dtype.kind in "US" and other.dtype.kind not in "US") or (ids.dtype.kind not in "US" and other.dtype.kind in "US"):
        raise InputError(f"ids of {name} and {other_name} are text in one and numbers in the other: rows cannot be matched")
    if np.array_equal(ids, other):
        return
    missing, surplus = np.setdiff1d(ids, other), np.setdiff1d(other, ids)
    if not (len(missing) or len(surplus)):
        row = int(np.argmax(ids != other))
        raise InputError(f"the rows of {other_name} are in another order than those of {name} (row {row}: {other[row]!s} against "
                         f"{ids[row]!s}): put both into the same order")
    only = "; ".join(f"{len(rows):,} only in {who} (such as {rows[0]!s})"
                     for who, rows in ((name, missing), (other_name, surplus)) if len(rows))
    raise InputError(f"{name} and {other_name} are of different rows: {only}; keep those that both have, in the same order")
