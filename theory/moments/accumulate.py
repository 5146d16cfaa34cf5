"""Kernels of :mod:`theory.moments`: shifted sums and products of rows, in place.

The parts of a batch are NumPy arrays or torch tensors of shape (rows, units) (:mod:`lab.arrays`). ``total`` and ``gram`` are
s and G of :mod:`theory.moments.sums`; ``gram`` is valid in its lower triangle.
"""

import math
from typing import Any, TypeAlias

import numpy as np

from lab.arrays import bits, checked, is_tensor, on_host
from lab.errors import InputError

BLOCK_ROWS = 2048  # rows of one float32 product: long enough to hide the float64 addition of its result
_ORIGIN_ROWS = 128  # rows that determine the shift, which only has to be near the mean; more would slow down short passes
_FREQUENT = 0.1  # share of rows from which a repeated value becomes the shift
_CACHED = 1 << 18  # numbers shifted and summed at a time, so that the sum reads them from the cache
_WORK_BYTES = 32 << 20  # bound on the row buffer
LEAST = 1e-280  # below it a float64 sum of squares has lost digits to underflow
LEAST_SINGLE = 1e-30  # the same in float32
_STRIP = 256  # rows of a symmetric matrix handled at a time, so that no second D x D array is held

Part: TypeAlias = Any  # rows of one block: an ndarray or a torch.Tensor; torch is never imported here


def as_rows(name: str, value: object) -> Part:
    """The value as (rows, units): a torch tensor detached, anything else a NumPy array of numbers.

    Raises
    ------
    InputError
        Values that are not numbers, the wrong number of axes, or no units.
    """
    rows: Part = checked(value, f"block {name!r}")
    if rows.ndim == 1:
        rows = rows[:, None]
    if rows.ndim != 2:
        raise InputError(f"block {name!r} must have shape (rows, units), got {tuple(rows.shape)}: pool or flatten it")
    if rows.shape[1] == 0:
        raise InputError(f"block {name!r} has no units")
    return rows


def on_accelerator(part: Part) -> bool:
    """Whether this is a tensor outside the CPU's memory."""
    return is_tensor(part) and part.device.type != "cpu"


def first_origin(parts: list[Part]) -> tuple[np.ndarray, bool]:
    """The shift of each unit, from the first rows: their mean, or the smallest or largest value if that is frequent.

    A value that many rows share (the 0 of a ReLU, the background of an image) has to become 0: if the same nonzero
    product is added again and again, it is rounded in the same direction each time, and in float32 that bias does not average
    out. With a share p of such rows, the distance to the mean costs a factor of at most 1/p in cancellation. The mean is
    exact for constant units, and a float32 number if all features are. Units with values that are not finite get 0.

    Returns
    -------
    origin : ndarray of shape (units of all parts,)
    biased : bool
        Whether a unit has two such values (it saturates at both ends) whose difference is not a power of two: float32 products
        would be biased for any shift.
    """
    dtype = np.float32 if all(bits(part) <= 32 for part in parts) else np.float64
    first = np.concatenate([on_host(part[:_ORIGIN_ROWS]) for part in parts], axis=1, dtype=dtype)
    low, high = first.min(axis=0), first.max(axis=0)
    finite = np.isfinite(low) & np.isfinite(high)
    if not finite.all():
        first, low, high = (np.where(finite, x, 0) for x in (first, low, high))
    origin = first[0] + np.mean(first - first[0], axis=0, dtype=np.float64)
    at_low, at_high = (np.count_nonzero(first == extreme, axis=0) >= _FREQUENT * len(first) for extreme in (low, high))
    origin = np.where(at_low, low, np.where(at_high, high, origin))
    biased = at_low & at_high & (low < high) & (np.frexp(high - low)[0] != 0.5)
    return origin.astype(dtype).astype(np.float64), bool(biased.any())


def _column_sums(x: np.ndarray) -> np.ndarray:
    """Sums over rows in float64; short chains are summed in the precision of the rows first."""
    whole = len(x) // 16 * 16
    chains = x[:whole].reshape(16, -1, x.shape[1]).sum(axis=0)
    return chains.sum(axis=0, dtype=np.float64) + x[whole:].sum(axis=0, dtype=np.float64)


class Stage:
    """A buffer of shifted rows on the CPU, which collects enough of them for a fast product.

    Parameters
    ----------
    origin : ndarray of shape (units,)
        The shift.
    single : bool
        Whether to store and multiply the rows in float32.
    """

    def __init__(self, origin: np.ndarray, single: bool):
        width, dtype = len(origin), np.float32 if single else np.float64
        rows = max(1, min(BLOCK_ROWS, _WORK_BYTES // (np.dtype(dtype).itemsize * width)))
        self.single, self.used, self.piece = single, 0, max(1, _CACHED // width)
        self.shift, self.buffer = origin.astype(dtype), np.empty((rows, width), dtype)
        self.product = np.zeros((width, width) if single else (0, 0), np.float32)
        self.vanished = np.zeros(width, bool)  # units with values so small that their squares underflow

    def add(self, parts: list[Part], slices: list[slice], total: np.ndarray, gram: np.ndarray) -> np.ndarray | None:
        """Add the rows of ``parts``, side by side at ``slices``: to ``total`` at once, to ``gram`` when the buffer is full.

        Returns
        -------
        ndarray or None
            The shifted rows, shape (rows, units), with the first value that is not finite; None if all values are finite.
        """
        start, n = 0, parts[0].shape[0]
        while start < n:
            if self.used == len(self.buffer):
                self.flush(gram)
            x = self.buffer[self.used:self.used + min(n - start, self.piece)]
            stop = start + len(x)
            with np.errstate(invalid="ignore", over="ignore"):
                for part, at in zip(parts, slices):
                    np.subtract(on_host(part[start:stop]), self.shift[at], out=x[:, at], dtype=x.dtype)
                sums = _column_sums(x)
                if not math.isfinite(float(sums.sum())):
                    return x
            total += sums
            self.used += len(x)
            start = stop
        return None

    def flush(self, gram: np.ndarray) -> None:
        """Add the products of the rows in the buffer to ``gram``.

        If a square leaves the range of float32, the whole buffer is multiplied in float64.
        """
        from scipy.linalg.blas import dsyrk, ssyrk

        x, self.used = self.buffer[: self.used], 0
        if not len(x):
            return
        if self.single:  # BLAS is column-major: its upper triangle is the lower one of these arrays
            ssyrk(1.0, x.T, beta=0.0, c=self.product.T, overwrite_c=1)
            squares = self.product.diagonal()
            if np.isfinite(squares).all() and not vanished(x, squares, LEAST_SINGLE).any():
                for r in range(0, len(gram), _STRIP):
                    gram[r:r + _STRIP, :r + _STRIP] += self.product[r:r + _STRIP, :r + _STRIP]
                return
            x = x.astype(np.float64)
        dsyrk(1.0, x.T, beta=1.0, c=gram.T, overwrite_c=1)
        self.vanished |= vanished(x, gram.diagonal(), LEAST)


def vanished(x: np.ndarray, squares: np.ndarray, least: float) -> np.ndarray:
    """Which units have nonzero values in the rows ``x`` although their sum of squares is below ``least``; shape (units,)."""
    small = np.flatnonzero(squares < least)
    out = np.zeros(len(squares), bool)
    out[small] = x[:, small].any(axis=0)
    return out


def device_state(part: Part, origin: np.ndarray) -> tuple[Part, Part, Part]:
    """(origin, total, gram) in float64 on the device of the tensor ``part``."""
    empty = part[:0].double()
    return empty.new_tensor(origin), empty.new_zeros(len(origin)), empty.new_zeros((len(origin), len(origin)))


def add_rows_on_device(parts: list[Part], slices: list[slice], state: tuple[Part, Part, Part]) -> None:
    """Queue the rows of ``parts`` on an accelerator, in float64; the call does not wait for it."""
    origin, total, gram = state
    n, width = parts[0].shape[0], len(origin)
    rows = max(1, min(n, 4 * _WORK_BYTES // (8 * width)))
    buffer = origin.new_empty((rows, width))
    for start in range(0, n, rows):
        x = buffer[: min(rows, n - start)]
        for part, at in zip(parts, slices):
            x[:, at].copy_(part[start:start + rows])
        x.sub_(origin)
        total.add_(x.sum(0))
        gram.addmm_(x.T, x)


def add_outer(gram: np.ndarray, scale: float, vector: np.ndarray) -> None:
    """gram += scale * vector vector^T, in strips."""
    for r in range(0, len(vector), _STRIP):
        gram[r:r + _STRIP] += np.outer(scale * vector[r:r + _STRIP], vector)


def mirror(gram: np.ndarray) -> None:
    """Fill the upper triangle from the lower one, and set negative rounding errors on the diagonal to 0."""
    for r in range(0, len(gram), _STRIP):
        block = gram[r:r + _STRIP, r:r + _STRIP]
        block[:] = np.tril(block) + np.tril(block, -1).T
        gram[:r, r:r + _STRIP] = gram[r:r + _STRIP, :r].T
    diagonal = np.einsum("ii->i", gram)
    np.maximum(diagonal, 0.0, out=diagonal)
