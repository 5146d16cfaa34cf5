r"""Pricing: for each query the points that score highest in its direction, with a rigorous bound on all the others.

The scores ``S = D u`` of all points for a batch of directions are one matrix product, done block by block of points in
float32 (float64 where float32 cannot decide). A computed product differs from the exact one by at most
``gamma |d_i| |u|, gamma = (dim + 8) eps``, whatever the order of summation, so ``S + gamma |d_i|`` bounds the exact
score, and the largest bound among the points that were *not* returned is part of the certificate.

Points are priced about their mean and in units of a power of two, so that translation costs no digits; float32 points
whose norms are of the order of their radius are priced as they are, without a copy.
"""

from enum import IntEnum

import numpy as np

from lab.arrays import power_of_two, real
from lab.compiled import njit
from lab.errors import InputError
from theory.hull.slots import FLAGS

BLOCK_BYTES = 32 << 20


class Ranking(IntEnum):
    """What points are ranked by: the rows of :meth:`Points.extras`."""

    VIOLATING = 0  # bound on the score
    NEAREST = 1  # distance to the direction's end
    FARTHEST = 2  # bare score


@njit(cache=True, error_model="numpy", nogil=True, fastmath=FLAGS)
def _select(scores, extra, first, level, kind, member, members, keys, index, count):
    """Merge one block's scores (B, points) into each direction's min-heap of the largest keys above its level.

    key = score + extra[kind]. ``keys`` and ``index`` (B, most) are the heaps, their smallest key at the root, with ``count``
    entries each. ``member`` (B, W) holds the sorted numbers of points that are left out, ``members`` of them.
    """
    most = keys.shape[1]
    for row in range(scores.shape[0]):
        key, ids, n = keys[row], index[row], count[row]
        bar = level[row] if n < most else key[0]  # a full heap takes only keys above its smallest
        added = extra[kind[row]]
        inside, m = member[row], members[row]
        for i in range(scores.shape[1]):
            value = scores[row, i] + added[first + i]
            if value > bar:
                number = first + i
                lo, hi = 0, m  # is this point left out? (bisection)
                while lo < hi:
                    mid = (lo + hi) >> 1
                    if inside[mid] < number:
                        lo = mid + 1
                    else:
                        hi = mid
                if lo < m and inside[lo] == number:
                    continue
                if n < most:  # sift up
                    j = n
                    n += 1
                    while j > 0 and key[(j - 1) >> 1] > value:
                        key[j] = key[(j - 1) >> 1]
                        ids[j] = ids[(j - 1) >> 1]
                        j = (j - 1) >> 1
                else:  # replace the smallest, sift down
                    j = 0
                    while True:
                        child = 2 * j + 1
                        if child >= most:
                            break
                        if child + 1 < most and key[child + 1] < key[child]:
                            child += 1
                        if key[child] >= value:
                            break
                        key[j] = key[child]
                        ids[j] = ids[child]
                        j = child
                key[j] = value
                ids[j] = number
                if n == most:
                    bar = key[0]
        count[row] = n


@njit(cache=True, error_model="numpy", nogil=True, fastmath=FLAGS)
def _moments(points, centre, inv):
    """Squared distances of the points from ``centre`` times ``inv`` squared; NaN or infinity shows in them."""
    n, d = points.shape
    out = np.empty(n)
    for i in range(n):
        total = 0.0
        for e in range(d):
            f = (np.float64(points[i, e]) - centre[e]) * inv
            total += f * f
        out[i] = total
    return out


def as_points(x, what: str) -> np.ndarray:
    """A host array of float32 or float64, rows contiguous; 16-bit and byte data become float32.

    Raises
    ------
    InputError
        If x is not a matrix of real numbers.
    """
    x = real(x, what)
    if x.ndim != 2 or x.shape[1] == 0:
        raise InputError(f"{what} must be a matrix of shape (number, dimension), got shape {x.shape}")
    if x.dtype not in (np.float32, np.float64):
        exact = (x.dtype.kind in "biu" and x.dtype.itemsize <= 2) or x.dtype == np.float16
        x = x.astype(np.float32 if exact else np.float64)
    return np.ascontiguousarray(x)


class Points:
    """A set of points, ready to be priced.

    Parameters
    ----------
    points : (n, d) array or tensor
        The points; float32 stays float32, other numbers become float64 (integers of up to 16 bits and float16: float32).
    keep_bytes : int >= 0, default 700 MiB
        Memory up to which a float32 copy of the centred points is kept between pricings.

    Attributes
    ----------
    array : (n, d) array
        The points on the host, float32 or float64.
    radius : float
        max |d - mean|.
    unit : float
        The smallest power of two that is no less than ``radius``.
    centre : (d,) array
        Origin of the prices: the mean of the points, or zero where that costs few digits and saves a copy.
    norms : (n,) array
        |d - centre| / unit.

    Examples
    --------
    >>> points = Points([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0], [4.0, 4.0]])
    >>> points.centre.tolist(), round(points.radius, 4), points.unit
    ([2.0, 2.0], 2.8284, 4.0)
    """

    def __init__(self, points, keep_bytes: int = 700 << 20):
        self.array = array = as_points(points, "points")
        n, d = array.shape
        if n == 0:
            raise InputError("points is empty: a hull needs at least one point")
        self.centre = np.zeros(d)
        with np.errstate(over="ignore", invalid="ignore"):
            for rows in self._slices(np.float64):
                self.centre += array[rows].sum(axis=0, dtype=np.float64)
            self.centre /= n
            scale, squares = 1.0, _moments(array, self.centre, 1.0)
            if not 1e-200 < squares.max() < 1e200:  # squares overflow or lose digits: divide by the scale first
                scale = power_of_two(max(float(np.abs(array[rows] - self.centre).max()) for rows in self._slices(np.float64)))
                squares = _moments(array, self.centre, 1 / max(scale, 1e-300))
        if not np.all(np.isfinite(squares)):
            with np.errstate(over="ignore", invalid="ignore"):
                bad = int(np.flatnonzero(~np.isfinite(squares))[0] if np.all(np.isfinite(self.centre))
                          else np.flatnonzero(~np.isfinite(array.sum(axis=1, dtype=np.float64)))[:1].sum())
            raise InputError(f"points contain NaN, infinity or numbers too large to add up (row {bad}); remove such rows")
        if scale < 1e-290:
            raise InputError("points are so close together that their distances lose digits to underflow: multiply them by a "
                             "power of two")
        self.radius = scale * float(np.sqrt(squares.max()))
        self.unit = float(2.0 ** np.ceil(np.log2(self.radius))) if self.radius > 0 else 1.0
        self.raw = False
        if array.dtype == np.float32 and 1e-9 < self.unit < 1e9:
            about_zero = _moments(array, np.zeros(d), 1.0)
            if about_zero.max() <= 16 * squares.max():
                self.raw, self.centre, squares = True, np.zeros(d), about_zero
        self.norms = np.sqrt(squares) * (scale / self.unit)
        self.keep = n * d * 4 <= keep_bytes
        self._blocks: list[tuple[int, np.ndarray]] | None = None

    @property
    def shape(self):
        return self.array.shape

    def _slices(self, dtype):
        n, d = self.array.shape
        rows = max(256, min(8192, BLOCK_BYTES // (d * np.dtype(dtype).itemsize)))
        return [slice(i, min(i + rows, n)) for i in range(0, n, rows)]

    def extras(self, dtype):
        """(3, n): what is added to a score by each :class:`Ranking`: rounding margin; minus half the squared norm; 0."""
        gamma = 1.01 * (self.array.shape[1] + 8) * float(np.finfo(dtype).eps) / 2
        return np.stack([gamma * (self.norms + 1e-3), -0.5 * self.norms**2, 0 * self.norms]).astype(dtype)

    def blocks(self, dtype):
        """Blocks of points about the centre: (first row, array); in units unless they are raw and float32.

        float32 blocks are kept where they fit.
        """
        if dtype == np.float32 and self.raw:
            for rows in self._slices(dtype):
                yield rows.start, self.array[rows]
            return
        if dtype == np.float32 and self._blocks is not None:
            yield from self._blocks
            return
        keep: list[tuple[int, np.ndarray]] | None = [] if dtype == np.float32 and self.keep else None
        for rows in self._slices(dtype):
            part = ((self.array[rows] - self.centre) / self.unit).astype(dtype, copy=False)
            if keep is not None:
                keep.append((rows.start, part))
            yield rows.start, part
        if keep is not None:
            self._blocks = keep

    def price(self, directions, level, kind, member, members, most, dtype, team):
        """The points of highest score for each direction.

        Parameters
        ----------
        directions : (B, d) unit vectors, or queries about the centre in units where a first working set is wanted.
        level : (B,) scores (about the centre, in units) below which points do not matter.
        kind : (B,) int. VIOLATING: rank by the bound on the score; NEAREST: by distance to the direction's end;
            FARTHEST: by the bare score.
        member, members : (B, W) sorted numbers of points that are left out, and how many.
        most : largest number of points to return.
        team : the threads that rank the points.

        Returns
        -------
        index (B, most) int64, best first; count (B,), how many of them; others (B,), bound on the score of every other point.
        """
        B = len(directions)
        extra = self.extras(dtype)
        bars = np.nextafter(level.astype(dtype), dtype(-np.inf))
        keys = np.full((B, most + 1), -np.inf, dtype)
        index = np.zeros((B, most + 1), np.int64)
        count = np.zeros(B, np.int64)
        batch = (directions / self.unit if self.raw and dtype == np.float32 else directions).astype(dtype)
        for first, part in self.blocks(dtype):
            scores = batch @ part.T

            def rank(_, p, scores=scores, first=first):
                _select(scores[p], extra, first, bars[p], kind[p], member[p], members[p], keys[p], index[p], count[p])

            team.deal(B, rank)
        keys[np.arange(most + 1) >= count[:, None]] = -np.inf
        best = np.argsort(-keys, axis=1, kind="stable")
        index = np.take_along_axis(index, best, 1)
        last = np.take_along_axis(keys, best[:, most:], 1)[:, 0]
        # keys are rounded sums; the next number up is a bound
        others = np.maximum(np.nextafter(last, dtype(np.inf)).astype(np.float64), level)
        return index[:, :most].copy(), np.minimum(count, most), others
