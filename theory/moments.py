"""Second moments of named feature blocks: the currency of every linear comparison of features.

For rows x = (x_A, x_B, ...) of several feature blocks (networks, layers, targets) seen on the same inputs, this holds

    n,    m = (1/n) sum_i x_i,    S = sum_i (x_i - m)(x_i - m)^T,    C = S/n  (population normalisation, not n-1)

over all blocks together, in float64. Ridge regression, span error, CKA, CCA, Procrustes, correlations and effective
rank are functions of (m, C) alone, so they are computed from one streaming pass, or exactly, without any sample, from
the Gaussian integrals of a toy model (:meth:`Moments.exact`).

Accumulation (derived here). Raw sums cancel where |mean| >> standard deviation, so rows are shifted first by an origin
o, the mean of the first rows seen or a value that many of them share: s = sum_i (x_i - o), G = sum_i (x_i - o)(x_i - o)^T,
and at the end m = o + s/n, S = G - s s^T/n. Two accumulations merge by Chan, Golub & LeVeque (1979):
S = S_1 + S_2 + (n_1 n_2/n)(m_2 - m_1)(m_2 - m_1)^T.

Accuracy. Products are float64, with one exception: float32 (or narrower) features of ``FLOAT32_FROM`` units or more in
total, on the CPU, are multiplied in float32 over blocks of 2,048 rows after the shift, and the blocks are summed in
float64 (not where a unit saturates at both ends: that would be biased). Measured at 50,000 x 1,024: variances of Gaussian
features are off by 3e-8 relative, correlations by 2e-9 (root mean square); the covariance matrix of Gaussian or ReLU
features is off by 1e-7 of its largest eigenvalue in spectral norm, at 1,000 rows by 4e-7. :attr:`Moments.rounding` says
up to where eigenvalues are rounding, and the measures heed it. Span errors at a relative ridge of 1e-4 or more agree with
float64 to about 1e-7, at 1e-6 to about 1e-5; for less ask for ``precision="float64"``, at about twice the time. On an
accelerator products are always float64.

Range. Squares must be numbers: the largest variance of a block that varies has to lie in 1e-280 ... 1e280 (deviations in
about 1e-140 ... 1e140), and moments that leave this range are refused. A unit whose deviation is below 1e-140 beside
larger ones of its block counts as constant. Within the range measures that do not depend on scale take it out first
(:meth:`Moments.scale`, a power of two, so that no digit changes).
"""

import json
import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from lab.arrays import bits, floats
from lab.errors import InputError
from lab.files import read_npz, reading
from theory.accumulate import (
    LEAST,
    Stage,
    add_outer,
    add_rows_on_device,
    as_rows,
    device_state,
    first_origin,
    mirror,
    on_accelerator,
)

FLOAT32_FROM = 384  # total units from which float32 features are multiplied in float32; below, float64 costs little
_FORMAT = 1  # of the saved file


def listed(names: str | Sequence[str]) -> tuple[str, ...]:
    """One block's name, or several, as a tuple."""
    return (names,) if isinstance(names, str) else tuple(names)


class Moments:
    """Count, means and co-moments of named feature blocks.

    Parameters
    ----------
    precision : {"auto", "float64", "float32"}
        Of the products on the CPU: "auto" follows the rule in the module's docstring, "float32" uses float32 products
        for float32 features of any width.

    Examples
    --------
    >>> m = Moments()
    >>> for batch in batches:                                   # doctest: +SKIP
    ...     m.update({"wide": wide(batch), "narrow": narrow(batch)})
    >>> m.covariance("wide", "narrow").shape                    # doctest: +SKIP
    (512, 64)
    """

    def __init__(self, *, precision: str = "auto"):
        if precision not in ("auto", "float64", "float32"):
            raise InputError(f"precision must be auto, float64 or float32, not {precision!r}")
        self._precision = precision
        self._slices: dict[str, slice] = {}
        self._count: int | None = 0
        self._origin = self._sum = self._gram = None
        self._centred = True  # gram is full and about the mean; otherwise lower triangle, about the origin
        self._stage: Stage | None = None  # rows on the CPU whose products are not in gram yet
        self._device: dict[str, tuple] = {}  # accumulators on accelerators, about the same origin
        self._single = False  # whether any product was float32
        self._biased = False  # whether float32 products would be biased (theory.accumulate.first_origin)
        self._vanished: np.ndarray | None = None  # units with values whose squares are lost to underflow
        self._spoiled: str | None = None
        self._memory: dict = {}

    # ------------------------------------------------------------------ building

    @classmethod
    def from_samples(cls, blocks: Mapping[str, object], *, precision: str = "auto") -> "Moments":
        """Moments of samples held in memory: ``{name: array of shape (rows, units)}``. See :meth:`update`."""
        return cls(precision=precision).update(blocks)

    @classmethod
    def exact(cls, widths: Mapping[str, int], mean: np.ndarray, covariance: np.ndarray) -> "Moments":
        """Moments of a distribution, known without sampling (``count`` is None).

        Parameters
        ----------
        widths : units of each block, in the order of the rows of ``covariance``.
        mean : shape (units in all,).
        covariance : shape (units in all, units in all), symmetric, about the mean.

        Raises
        ------
        InputError
            Shapes that do not fit, values that are not finite, or a matrix that is no covariance.
        """
        moments = cls()
        moments._lay_out(dict(widths))
        total = moments.width
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
        moments._count, moments._origin, moments._sum = None, mean, np.zeros(total)
        moments._gram = (covariance + covariance.T) / 2
        moments._check_range()
        return moments

    def update(self, blocks: Mapping[str, object]) -> "Moments":
        """Add a batch of rows.

        Parameters
        ----------
        blocks : ``{name: array}``; each of shape (rows, units), or (rows,) for a single unit; the same rows in every
            block, the same names and units in every batch. NumPy arrays (or what converts to one) and torch tensors of
            any float dtype on any device; integers and booleans are taken as numbers. On an accelerator the sums stay
            there until they are read.

        Returns
        -------
        Moments : itself.

        Raises
        ------
        InputError
            Names, shapes or devices that do not fit, an empty batch, or values that are not finite. After the last one
            this object refuses to be used: some of the batch is already in the sums.
        """
        self._usable()
        if self._count is None:
            raise InputError("exact moments cannot take samples")
        parts = {name: as_rows(name, value) for name, value in blocks.items()}
        rows = {name: part.shape[0] for name, part in parts.items()}
        if len(set(rows.values())) > 1:
            raise InputError(f"blocks of one batch need the same number of rows, got {rows}")
        widths = {name: int(part.shape[1]) for name, part in parts.items()}
        if not self._slices:
            self._lay_out(widths)
        elif widths != self.widths:
            raise InputError(f"this batch has blocks {widths}, earlier ones had {self.widths}")
        n = next(iter(rows.values()))
        if n == 0:
            raise InputError("a batch without rows")
        parts = [parts[name] for name in self._slices]
        if self._origin is None:
            self._origin, self._biased = first_origin(parts)
            self._sum, self._gram = np.zeros(self.width), np.zeros((self.width, self.width))
            self._vanished = np.zeros(self.width, bool)
        self._uncentre()
        self._memory.clear()
        self._add(parts)
        self._count += int(n)
        return self

    def _lay_out(self, widths: dict[str, int]) -> None:
        if not widths:
            raise InputError("no feature blocks: give {name: array}")
        start = 0
        for name, width in widths.items():
            if not isinstance(name, str) or not name:
                raise InputError(f"a block's name must be a non-empty string, not {name!r}")
            if int(width) < 1:
                raise InputError(f"block {name!r} has no units")
            self._slices[name] = slice(start, start + int(width))
            start += int(width)

    def _add(self, parts: list) -> None:
        slices = list(self._slices.values())
        devices = {str(part.device) for part in parts if on_accelerator(part)}
        if devices:
            if len(devices) > 1 or not all(on_accelerator(part) for part in parts):
                raise InputError("blocks of one batch must lie on one device")
            key = devices.pop()
            if key not in self._device:
                self._device[key] = device_state(parts[0], self._origin)
            add_rows_on_device(parts, slices, self._device[key])
            return
        narrow = all(bits(part) <= 32 for part in parts) and bool(np.all(self._origin == np.float32(self._origin)))
        wanted = self._precision == "float32" or (self._precision == "auto" and self.width >= FLOAT32_FROM
                                                  and not self._biased)
        single = narrow and wanted
        if self._stage is not None and self._stage.single != single:
            self._flush()
        if self._stage is None:
            self._stage = Stage(self._origin, single)
        self._single |= single
        bad = self._stage.add(parts, slices, self._sum, self._gram)
        if bad is not None:
            self._spoil(bad)

    def _flush(self) -> None:
        if self._stage is not None:
            self._stage.flush(self._gram)
            self._vanished |= self._stage.vanished
            self._stage = None

    def _spoil(self, x: np.ndarray) -> None:
        bad = ~np.isfinite(x)
        found = [f"{int(bad[:, at].any(axis=0).sum())} units of {name!r}"
                 for name, at in self._slices.items() if bad[:, at].any()]
        self._spoiled = "features that are not finite (NaN, infinity or overflow): " + (", ".join(found) or "overflow")
        raise InputError(self._spoiled)

    # ------------------------------------------------------------------ between the two forms of the co-moments

    def _usable(self) -> None:
        if self._spoiled:
            raise InputError(f"these moments are spoiled by {self._spoiled}; build them anew")

    def _uncentre(self) -> None:
        if self._centred:
            if self._count:
                add_outer(self._gram, 1.0 / self._count, self._sum)
            self._centred = False

    def _settle(self) -> "Moments":
        """Gather what lies on devices, move the co-moments to the mean, fill the upper triangle. Idempotent."""
        self._usable()
        if self._count == 0:
            raise InputError("no samples yet: call update first")
        self._flush()
        for _, total, gram in self._device.values():
            total = total.cpu().numpy()
            self._sum += total
            self._gram += gram.cpu().numpy()
            self._vanished |= (self._gram.diagonal() < LEAST) & (total != 0)
        self._device.clear()
        if not self._centred:
            if not np.isfinite(self._sum).all():
                self._spoil(self._sum[None, :])
            if np.isfinite(self._gram.diagonal()).all():  # else there is nothing to centre
                add_outer(self._gram, -1.0 / self._count, self._sum)
                mirror(self._gram)
            self._centred = True
            try:
                self._check_range()
            except InputError as error:
                self._spoiled = str(error)
                raise
        return self

    def _check_range(self) -> None:
        """Refuse blocks whose variances are no numbers of full precision."""
        variance = self._gram.diagonal() / (self._count or 1)
        for name, at in self._slices.items():
            largest = float(variance[at].max())
            if not largest <= 1 / LEAST:
                raise InputError(f"features {name!r} are so large that their squares overflow: divide them by a power of two")
            if 0 < largest < LEAST or (largest == 0 and self._vanished is not None and self._vanished[at].any()):
                raise InputError(f"features {name!r} are so small that their squares vanish: multiply them by a power of two")

    # ------------------------------------------------------------------ reading

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the blocks, in order."""
        return tuple(self._slices)

    @property
    def widths(self) -> dict[str, int]:
        """Units of each block."""
        return {name: at.stop - at.start for name, at in self._slices.items()}

    @property
    def width(self) -> int:
        """Units of all blocks together."""
        return max((at.stop for at in self._slices.values()), default=0)

    @property
    def count(self) -> int | None:
        """Rows seen; None for exact moments."""
        return self._count

    @property
    def is_exact(self) -> bool:
        """Whether these are the moments of a distribution, not of samples."""
        return self._count is None

    @property
    def rounding(self) -> float:
        """Eigenvalues of a covariance below this share of the largest are rounding, not directions of the features."""
        return 1e-6 if self._single else 1e-12

    def units(self, names: str | Sequence[str]) -> int:
        """Units of one block or of several together."""
        return sum(at.stop - at.start for at in self._find(names))

    def mean(self, names: str | Sequence[str]) -> np.ndarray:
        """Means of the units of a block (or of several, concatenated), shape (units,)."""
        self._settle()
        mean = self._origin + self._sum / (self._count or 1)
        return np.concatenate([mean[at] for at in self._find(names)])

    def variance(self, names: str | Sequence[str]) -> np.ndarray:
        """Variances of the units (divided by n), shape (units,)."""
        diagonal = self._settle()._gram.diagonal()
        return np.concatenate([diagonal[at] for at in self._find(names)]) / (self._count or 1)

    def scale(self, names: str | Sequence[str]) -> float:
        """The power of two next below the largest standard deviation of these units; 1 where none varies."""
        largest = float(self.variance(names).max())
        return math.ldexp(1.0, (math.frexp(largest)[1] - 1) >> 1) if largest > 0 else 1.0

    def covariance(self, a: str | Sequence[str], b: str | Sequence[str] | None = None, *, scale: float = 1.0) -> np.ndarray:
        """Covariance (divided by n) between the units of ``a`` and of ``b`` (default: of ``a``): (units, units).

        ``scale`` divides it, at no cost; a power of two changes no digit.
        """
        self._settle()
        rows, columns = self._find(a), self._find(a if b is None else b)
        out = np.empty((sum(r.stop - r.start for r in rows), sum(c.stop - c.start for c in columns)))
        for at_r, r in _consecutive(rows):
            for at_c, c in _consecutive(columns):
                np.divide(self._gram[r, c], (self._count or 1) * scale, out=out[at_r, at_c])
        return out

    def remember(self, key: tuple, make: Callable):
        """What ``make()`` gives, worked out once for these moments: decompositions that several measures share.

        Parameters
        ----------
        key : what it is, and of which blocks.
        make : without arguments; what it returns is not to be changed.
        """
        self._settle()
        if key not in self._memory:
            self._memory[key] = make()
        return self._memory[key]

    def constant(self, names: str | Sequence[str]) -> np.ndarray:
        """Which units do not vary (dead units among them): standard deviation within rounding of the mean. Boolean."""
        rounding = 16 * np.finfo(np.float64).eps * np.abs(self.mean(names))
        return self.variance(names) <= rounding**2

    def _find(self, names: str | Sequence[str]) -> list[slice]:
        names = listed(names)
        if not names:
            raise InputError("name at least one feature block")
        for name in names:
            if name not in self._slices:
                raise InputError(f"no feature block {name!r}; there are {', '.join(self._slices) or 'none'}")
        return [self._slices[name] for name in names]

    def __repr__(self) -> str:
        return f"Moments({self.widths}, count={'exact' if self._count is None else self._count})"

    # ------------------------------------------------------------------ new moments from old

    def _made(self, widths: dict[str, int], mean: np.ndarray, comoment: np.ndarray) -> "Moments":
        made = Moments(precision=self._precision)
        made._lay_out(widths)
        made._count, made._origin, made._gram, made._single = self._count, mean, comoment, self._single
        made._sum = np.zeros(made.width)
        if self._vanished is not None:
            made._vanished = np.zeros(made.width, bool)
        made._check_range()
        return made

    def select(self, *names: str) -> "Moments":
        """Moments of some of the blocks, in the order given."""
        return self.concatenate({name: name for name in names})

    def concatenate(self, groups: Mapping[str, str | Sequence[str]]) -> "Moments":
        """Moments of new blocks, each old ones side by side: ``{"narrow": ["net0", "net1"], "wide": "wide"}``."""
        every = [old for group in groups.values() for old in ([group] if isinstance(group, str) else group)]
        widths = {new: self.units(group) for new, group in groups.items()}
        return self._made(widths, self.mean(every), self.covariance(every) * (self._count or 1))

    def take(self, units: Mapping[str, np.ndarray]) -> "Moments":
        """Moments of some units of each named block: ``{name: indices or boolean mask}``."""
        index, widths = [], {}
        for name, chosen in units.items():
            (at,) = self._find(name)
            found = np.arange(at.start, at.stop)[chosen]
            index.append(found)
            widths[name] = len(found)
        index = np.concatenate(index) if index else np.zeros(0, int)
        return self._made(widths, self.mean(self.names)[index], self._gram[np.ix_(index, index)])

    def transform(self, maps: Mapping[str, Mapping[str, np.ndarray | None]],
                  offsets: Mapping[str, np.ndarray] | None = None) -> "Moments":
        """Moments of linear functions of the blocks: new = sum over old of x_old @ M_old (+ offset); exact.

        Parameters
        ----------
        maps : ``{new name: {old name: matrix of shape (units of old, units of new), or None for the identity}}``.
        offsets : ``{new name: vector of shape (units of new,)}``, added to the new block's mean.

        Returns
        -------
        Moments : with the same count.
        """
        every = self.mean(self.names)
        if not maps:
            raise InputError("no new feature blocks asked for")
        terms, widths, means = {}, {}, []
        for new, sources in maps.items():
            checked = []
            for old, matrix in sources.items():
                (at,) = self._find(old)
                matrix = None if matrix is None else floats(matrix, f"the map from {old!r} to {new!r}")
                units = at.stop - at.start if matrix is None else matrix.shape[-1]
                if matrix is not None and (matrix.ndim != 2 or matrix.shape[0] != at.stop - at.start):
                    raise InputError(f"the map from {old!r} to {new!r} needs {at.stop - at.start} rows, "
                                     f"got shape {matrix.shape}")
                if matrix is not None and not np.isfinite(matrix).all():
                    raise InputError(f"the map from {old!r} to {new!r} has values that are not finite")
                if units != widths.setdefault(new, units):
                    raise InputError(f"the maps to {new!r} disagree on its number of units")
                checked.append((at, matrix))
            if not checked:
                raise InputError(f"no map leads to {new!r}")
            terms[new] = checked
            offset = floats((offsets or {}).get(new, np.zeros(widths[new])), f"the offset of {new!r}")
            if offset.shape != (widths[new],) or not np.isfinite(offset).all():
                raise InputError(f"the offset of {new!r} must be {widths[new]} finite numbers")
            means.append(sum(every[at] if m is None else every[at] @ m for at, m in checked) + offset)
        self._refuse_vanishing(terms)
        with np.errstate(over="ignore", invalid="ignore"):  # the range of the result is checked
            half = np.hstack([sum(self._gram[:, at] if m is None else self._gram[:, at] @ m for at, m in term)
                              for term in terms.values()])
            full = np.vstack([sum(half[at] if m is None else m.T @ half[at] for at, m in term) for term in terms.values()])
        return self._made(widths, np.concatenate(means), (full + full.T) / 2)

    def _refuse_vanishing(self, terms: Mapping[str, list]) -> None:
        """Refuse maps to features so small that their squares are lost; a difference that cancels is none of these."""
        deviation = np.sqrt(np.maximum(self._gram.diagonal(), 0.0) / (self._count or 1))
        for new, term in terms.items():
            reach = sum(float(deviation[at].max()) * (1.0 if m is None else float(np.abs(m).max())) for at, m in term)
            if 0 < reach < math.sqrt(LEAST):
                raise InputError(f"features {new!r} are so small that their squares vanish: multiply them by a power of two")

    def merge(self, other: "Moments") -> "Moments":
        """Moments of the rows of both (same blocks, same order), as new moments."""
        if self._count is None or other._count is None:
            raise InputError("exact moments do not merge: there are no samples to pool")
        if self.widths != other.widths or self.names != other.names:
            raise InputError(f"moments of different blocks do not merge: {self.widths} and {other.widths}")
        n1, n2 = self._settle()._count, other._settle()._count
        difference = other.mean(other.names) - self.mean(self.names)
        comoment = self._gram + other._gram
        with np.errstate(over="ignore", invalid="ignore"):  # the range of the result is checked
            add_outer(comoment, n1 * n2 / (n1 + n2), difference)
        made = self._made(self.widths, self._origin, comoment)
        made._single = self._single or other._single
        made._count, made._sum = n1 + n2, self._sum + other._sum + n2 * (other._origin - self._origin)
        return made

    # ------------------------------------------------------------------ files

    def __getstate__(self) -> dict:
        return {**(self._settle() if self._count != 0 else self).__dict__, "_memory": {}}

    def save(self, path: str | os.PathLike) -> None:
        """Write to an ``.npz`` file (no pickle), whole or not at all."""
        from lab.store import write_arrays

        self._settle()
        write_arrays(Path(path), {
            "format": np.int64(_FORMAT), "widths": np.array(json.dumps(self.widths)), "single": self._single,
            "count": np.int64(-1 if self._count is None else self._count),
            "origin": self._origin, "sum": self._sum, "comoment": self._gram})

    @classmethod
    def load(cls, path: str | os.PathLike) -> "Moments":
        """Read what :meth:`save` wrote.

        Raises
        ------
        InputError
            The file is missing, damaged or something else.
        """
        what, remedy = "a file of moments", "compute them again"
        if not os.path.exists(path):
            raise InputError(f"no moments at {path}")
        file = read_npz(Path(path), what, remedy)
        with reading(path, what, remedy):
            if int(file["format"]) != _FORMAT:
                raise InputError(f"{path} has format {int(file['format'])}, this version reads {_FORMAT}; {remedy}")
            widths, count = json.loads(str(file["widths"])), int(file["count"])
            origin, total, comoment, single = file["origin"], file["sum"], file["comoment"], bool(file["single"])
            moments = cls()
            moments._lay_out(widths)
        shape = (moments.width,)
        if origin.shape != shape or total.shape != shape or comoment.shape != shape * 2 or count == 0 or count < -1:
            raise InputError(f"{path} is damaged: its arrays do not fit its blocks {widths}")
        if not (np.isfinite(origin).all() and np.isfinite(total).all() and np.isfinite(comoment).all()):
            raise InputError(f"{path} is damaged: values that are not finite")
        moments._count, moments._origin = (None if count < 0 else count), origin
        moments._sum, moments._gram, moments._single = total, comoment, single
        moments._vanished = np.zeros(moments.width, bool)
        moments._check_range()
        return moments


def _consecutive(slices: Iterable[slice]) -> list[tuple[slice, slice]]:
    """Each slice with its place in the concatenation of all."""
    pairs, start = [], 0
    for at in slices:
        pairs.append((slice(start, start + at.stop - at.start), at))
        start += at.stop - at.start
    return pairs
