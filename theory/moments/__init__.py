"""Second moments of named feature blocks: the currency of every linear comparison of features.

The docstring of :class:`Moments` is a session. ``reading`` reads moments · ``combining`` makes new ones from old ones ·
``layout`` holds the positions of blocks · ``sums`` the accumulated sums · ``accumulate`` its kernels · ``files`` files.

For rows x = (x_A, x_B, ...) of several feature blocks (networks, layers, targets) seen on the same inputs, this holds

    n,    m = (1/n) sum_i x_i,    S = sum_i (x_i - m)(x_i - m)^T,    C = S/n  (population normalisation, not n-1)

over all blocks together, in float64. Ridge regression, span error, CKA, CCA, Procrustes, correlations and effective
rank are functions of (m, C) alone, so they can be computed from one streaming pass, or exactly, without any sample, from
the Gaussian integrals of a toy model (:meth:`Moments.exact`).

How rows are accumulated, and how accurate the result is: :mod:`theory.moments.sums`.

Range. Squares must be representable: the largest variance of a block that varies has to lie in 1e-280 ... 1e280 (deviations in
about 1e-140 ... 1e140), and moments outside this range are refused. A unit whose deviation is below 1e-140 counts as constant if
its block has larger ones. Within the range, measures that do not depend on scale first divide by it (:meth:`Moments.scale`, a
power of two, so that no digit changes).
"""

import os
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from lab.errors import InputError
from theory.moments import files
from theory.moments.accumulate import as_rows
from theory.moments.combining import Combining
from theory.moments.layout import Slices, checked_law, lay_out, length
from theory.moments.sums import Sums

__all__ = ["Moments"]


def __dir__() -> list[str]:
    return [*__all__, *(name for name in globals() if name.startswith("__"))]


class Moments(Combining):
    """Count, means and co-moments of named feature blocks.

    Features of a narrow and of a wide random network, and a regression target, on the same inputs, batch by batch:

    >>> rng = np.random.default_rng(0)
    >>> narrow, wide = rng.normal(size=(3, 4)), rng.normal(size=(3, 16))
    >>> def batches(number):
    ...     for _ in range(number):
    ...         x = rng.normal(size=(500, 3))
    ...         yield {"narrow": np.maximum(x @ narrow, 0), "wide": np.maximum(x @ wide, 0), "target": x[:, 0]}
    >>> fit, score = Moments(), Moments()
    >>> for batch in batches(4):
    ...     fit = fit.update(batch)
    >>> for batch in batches(2):
    ...     score = score.update(batch)
    >>> fit
    Moments({'narrow': 4, 'wide': 16, 'target': 1}, count=2000)

    Every linear comparison is a function of such moments; what is fitted on one is scored on another:

    >>> from theory.measures import linear_cka, span_error
    >>> round(span_error(fit, source="narrow", target="wide", score=score), 2)
    0.49
    >>> round(span_error(fit, source="wide", target="narrow", score=score), 2)
    0.02
    >>> round(linear_cka(fit, "narrow", "wide"), 2)
    0.56

    Moments merge. Those of some blocks, of blocks side by side and of linear functions of them follow without the rows:

    >>> both = fit.merge(score)
    >>> both.count, both.covariance("wide", "target").shape
    (3000, (16, 1))
    >>> both.concatenate({"features": ["narrow", "wide"]}).widths
    {'features': 20}
    >>> difference = both.transform({"left": {"target": None, "wide": np.zeros((16, 1))}})
    >>> bool(np.allclose(difference.variance("left"), both.variance("target")))
    True

    If the covariance is known, no samples are needed:

    >>> teacher = Moments.exact({"unit": 1, "target": 1}, [0, 0], [[1.0, 0.6], [0.6, 1.0]])
    >>> round(span_error(teacher, source="unit", target="target"), 4)
    0.64

    Parameters
    ----------
    precision : {"auto", "float64", "float32"}, default "auto"
        Precision of the products on the CPU: "auto" follows the rule of :mod:`theory.moments.sums`, "float32" uses float32
        products for float32 features of any width.

    Raises
    ------
    InputError
        An unknown precision.

    References
    ----------
    Chan, Golub & LeVeque 1979, "Updating formulae and a pairwise algorithm for computing sample variances", for merging; the
    choice of the origin is derived here.
    """

    def __init__(self, *, precision: str = "auto"):
        if precision not in ("auto", "float64", "float32"):
            raise InputError(f"precision must be auto, float64 or float32, not {precision!r}")
        super().__init__()
        self._precision = precision

    # ------------------------------------------------------------------ building

    @classmethod
    def from_samples(cls, blocks: Mapping[str, npt.ArrayLike], *, precision: str = "auto") -> "Moments":
        """Moments of samples held in memory.

        Parameters
        ----------
        blocks : mapping of str to array of shape (rows, units)
            See :meth:`update`.
        precision : {"auto", "float64", "float32"}, default "auto"
            See :class:`Moments`.

        Returns
        -------
        Moments

        Raises
        ------
        InputError
            As :meth:`update`.

        Examples
        --------
        >>> Moments.from_samples({"a": [[1.0, 2.0], [3.0, 2.0]]}).mean("a")
        array([2., 2.])
        """
        return cls(precision=precision).update(blocks)

    @classmethod
    def exact(cls, widths: Mapping[str, int], mean: npt.ArrayLike, covariance: npt.ArrayLike) -> "Moments":
        """Moments of a distribution, known without sampling (``count`` is None).

        Parameters
        ----------
        widths : mapping of str to int
            Units of each block, in the order of the rows of ``covariance``.
        mean : array of shape (units of all blocks,)
            Means of the units.
        covariance : array of shape (units of all blocks, units of all blocks)
            Symmetric, about the mean.

        Returns
        -------
        Moments

        Raises
        ------
        InputError
            Shapes that do not fit, values that are not finite, or a matrix that is not a covariance.

        Examples
        --------
        >>> Moments.exact({"a": 1, "b": 1}, [0, 0], [[2, 1], [1, 2]]).covariance("a", "b")
        array([[1.]])
        """
        slices = lay_out(widths)
        total = sum(map(length, slices.values()))
        mean, covariance = checked_law(mean, covariance, total)
        return cls()._from(slices, Sums(None, mean, np.zeros(total), covariance))

    def update(self, blocks: Mapping[str, npt.ArrayLike]) -> "Moments":
        """Add a batch of rows.

        Parameters
        ----------
        blocks : mapping of str to array of shape (rows, units) or (rows,)
            NumPy arrays (or anything that converts to one), or torch tensors of any float dtype on any device; integers and
            booleans count as numbers, a vector as a single unit. All blocks have the same rows, all batches the same names and
            units. On an accelerator the sums stay there until they are read.

        Returns
        -------
        Moments
            The object itself.

        Raises
        ------
        InputError
            Names, shapes or devices that do not fit, an empty batch, or values that are not finite. In the last case the object
            cannot be used any more, since the sums already contain part of the batch.

        Examples
        --------
        >>> m = Moments().update({"a": np.ones((3, 2))}).update({"a": np.zeros((1, 2))})
        >>> m.count, m.mean("a")
        (4, array([0.75, 0.75]))
        """
        self._usable()
        if self.is_exact:
            raise InputError("exact moments cannot take samples")
        rows = {name: as_rows(name, value) for name, value in blocks.items()}
        counts = {name: part.shape[0] for name, part in rows.items()}
        if len(set(counts.values())) > 1:
            raise InputError(f"blocks of one batch need the same number of rows, got {counts}")
        widths = {name: int(part.shape[1]) for name, part in rows.items()}
        if self._slices and widths != self.widths:
            raise InputError(f"this batch has blocks {widths}, earlier ones had {self.widths}")
        slices = self._slices or lay_out(widths)
        n = int(next(iter(counts.values())))
        if n == 0:
            raise InputError("a batch without rows")
        self._slices, parts = slices, [rows[name] for name in slices]
        if self._sums is None:
            self._sums = Sums.empty(parts)
        self._sums.uncentre()
        self._memory.clear()
        bad = self._sums.add(parts, list(slices.values()), self._precision)
        if bad is not None:
            self._spoil(bad)
        self._sums.count = (self._sums.count or 0) + n
        return self

    def _from(self, slices: Slices, sums: Sums) -> "Moments":
        """Fill this new object with these sums."""
        self._slices, self._sums = slices, sums
        self._check_range(sums)
        return self

    def _made(self, slices: Slices, sums: Sums) -> "Moments":
        return Moments(precision=self._precision)._from(slices, sums)

    # ------------------------------------------------------------------ files

    def __getstate__(self) -> dict:
        if self.count != 0:
            self._settled()
        return {**self.__dict__, "_memory": {}}

    def save(self, path: str | os.PathLike) -> None:
        """Write to an ``.npz`` file (no pickle), atomically.

        Parameters
        ----------
        path : str or path
            The file.
        """
        files.write(path, self.widths, self._settled())

    @classmethod
    def load(cls, path: str | os.PathLike) -> "Moments":
        """Read what :meth:`save` wrote.

        Parameters
        ----------
        path : str or path
            The file.

        Returns
        -------
        Moments

        Raises
        ------
        InputError
            The file is missing, damaged or something else.
        """
        widths, sums = files.read(path)
        return cls()._from(lay_out(widths), sums)
