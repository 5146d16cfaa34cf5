"""Features as they come: arrays, tensors, data frames, files, batches; and whether their rows are the same inputs.

A block is features of one model on some inputs, a row an input. Blocks are compared row by row, so rows in another order, or
other rows, give a number that means nothing: where ids say so, that is an error.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lab.arrays import is_tensor, real
from lab.errors import InputError

CHUNK = 1024  # rows looked at at a time: few enough for memory to be used again


@dataclass(frozen=True)
class Block:
    """Features of one model.

    Attributes
    ----------
    name : as messages and results call it.
    rows : shape (rows, units), of any real dtype; may lie in a file.
    ids, groups : what names each row, and which rows belong together, shape (rows,); None where that is not known.
    """

    name: str
    rows: np.ndarray
    ids: np.ndarray | None = None
    groups: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def units(self) -> int:
        """Features of a row."""
        return self.rows.shape[1]

    def named(self, name: str) -> "Block":
        """The same under another name."""
        return replace(self, name=name)


def block(value, name: str) -> Block:
    """One block from whatever holds it.

    Parameters
    ----------
    value : an array or tensor of shape (rows, units), or (rows,) for a single unit; a data frame, whose index is its ids
        unless it only counts; the path of a file (:mod:`theory.compare.files`); an iterator of batches of any of these; a Block.
    name : for messages; a file has its own.

    Raises
    ------
    InputError
        What holds no features, or features that are not finite.
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
    """Whether this is an iterator of batches (or a loader of them), and not an array or a list of arrays."""
    return (hasattr(value, "__iter__") and not isinstance(value, list | tuple | Mapping | str)
            and not hasattr(value, "__array__") and not is_tensor(value))


def is_frame(value) -> bool:
    """Whether this is a pandas DataFrame or Series (or behaves as one)."""
    return hasattr(value, "to_numpy") and hasattr(value, "index") and not callable(value.index)


def index_of(value) -> np.ndarray | None:
    """The index of a data frame as ids; None where it has none or only counts its rows."""
    if not is_frame(value):
        return None
    index = value.index
    counts = type(index).__name__ == "RangeIndex" and (index.start, index.step) == (0, 1)
    return None if counts else vector(index, "the index")


def vector(value, name: str) -> np.ndarray:
    """Ids, groups or labels as a vector of numbers or text."""
    if is_tensor(value):
        value = real(value, name)
    value = np.asarray(value.to_numpy() if hasattr(value, "to_numpy") else value)
    if value.dtype.kind == "O":
        value = np.array([str(part) for part in value.ravel()]).reshape(value.shape)
    if value.ndim != 1 or value.dtype.kind not in "iubUSfM":
        raise InputError(f"{name} must be a vector of numbers or words, a row each, got {value.dtype} of shape {value.shape}")
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
    """Batches of one block, one after the other."""
    units = {part.units for part in parts}
    if len(units) > 1:
        raise InputError(f"batches of {parts[0].name} have different numbers of units: {sorted(units)}")
    ids = None if any(part.ids is None for part in parts) else np.concatenate([part.ids for part in parts])
    return Block(parts[0].name, np.concatenate([part.rows for part in parts]), ids)


def _checked(found: Block) -> Block:
    if found.rows.ndim != 2 or not found.rows.size:
        raise InputError(f"{found.name} must have shape (rows, units) and hold something, got {found.rows.shape}")
    if found.rows.dtype.kind != "f":
        return found
    bad, first = 0, None
    for start in range(0, len(found), CHUNK):
        with np.errstate(invalid="ignore", over="ignore"):
            rows = ~np.isfinite(found.rows[start:start + CHUNK].sum(axis=1, dtype=np.float64))
        if rows.any():
            bad += int(rows.sum())
            first = start + int(rows.argmax()) if first is None else first
    if bad:
        raise InputError(f"{found.name} has {bad} {'row' if bad == 1 else 'rows'} with values that are not finite (NaN or "
                         f"infinity; the first is row {first}): leave {'it' if bad == 1 else 'them'} out of all blocks")
    return found


def match(known: Sequence[tuple[Block, object]]) -> int:
    """Refuse blocks that are not of the same rows; their number.

    Parameters
    ----------
    known : blocks, each with the ids that it is said to have besides those that it brings (or None); the first is what the
        others are held against.

    Raises
    ------
    InputError
        Another number of rows, ids in another order, of another set, or not one for each row.
    """
    first = known[0][0]
    for other, _ in known[1:]:
        if len(other) != len(first):
            raise InputError(f"{first.name} has {len(first):,} rows and {other.name} {len(other):,}: features are compared on "
                             "the same inputs, a row each")
    found = [(name, vector(ids, f"the ids of {one.name}")) for one, said in known
             for name, ids in ((one.name, one.ids), (f"{one.name} by the ids given", said)) if ids is not None]
    for name, ids in found:
        _one_each(name, ids, len(first))
    for name, ids in found[1:]:
        _same(*found[0], name, ids)
    return len(first)


def groups_of(blocks: Sequence[Block]) -> np.ndarray | None:
    """The groups that blocks bring, None where none brings any.

    Raises
    ------
    InputError
        Groups that are not the same.
    """
    known = [(one.name, one.groups) for one in blocks if one.groups is not None]
    for name, groups in known[1:]:
        if not np.array_equal(groups, known[0][1]):
            raise InputError(f"{known[0][0]} and {name} disagree on which rows belong together: give groups", "groups")
    return vector(known[0][1], f"the groups of {known[0][0]}") if known else None


def _one_each(name: str, ids: np.ndarray, rows: int) -> None:
    if len(ids) != rows:
        raise InputError(f"{name} has {rows:,} rows and {len(ids):,} ids: give one for each row")
    values, counts = np.unique(ids, return_counts=True)
    if counts.max(initial=1) > 1:
        raise InputError(f"ids of {name} repeat ({values[counts.argmax()]!s} comes {counts.max()} times): an id names one row; "
                         "what says which rows belong together goes into groups", "groups")


def _same(name: str, ids: np.ndarray, other_name: str, other: np.ndarray) -> None:
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
