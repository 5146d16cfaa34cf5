"""Second moments of named feature blocks: the currency of every linear comparison of features.

:class:`Moments` opens with a session. Around it: ``reading`` what can be read off them · ``layout`` where
blocks stand · ``sums`` what is added up · ``accumulate`` its kernels · ``files``.

For rows x = (x_A, x_B, ...) of several feature blocks (networks, layers, targets) seen on the same inputs, this holds

    n,    m = (1/n) sum_i x_i,    S = sum_i (x_i - m)(x_i - m)^T,    C = S/n  (population normalisation, not n-1)

over all blocks together, in float64. Ridge regression, span error, CKA, CCA, Procrustes, correlations and effective
rank are functions of (m, C) alone, so they are computed from one streaming pass, or exactly, without any sample, from
the Gaussian integrals of a toy model (:meth:`Moments.exact`).

How rows are added up, and how accurate the result is: :mod:`theory.moments.sums`.

Range. Squares must be numbers: the largest variance of a block that varies has to lie in 1e-280 ... 1e280 (deviations in
about 1e-140 ... 1e140), and moments that leave this range are refused. A unit whose deviation is below 1e-140 beside
larger ones of its block counts as constant. Within the range measures that do not depend on scale take it out first
(:meth:`Moments.scale`, a power of two, so that no digit changes).
"""

import os
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from lab.errors import InputError
from theory.moments import files
from theory.moments.accumulate import as_rows
from theory.moments.layout import (
    Names,
    Slices,
    checked_law,
    checked_maps,
    checked_offset,
    find,
    lay_out,
    length,
    listed,
    mapped,
    refuse_vanishing,
    widths_of,
)
from theory.moments.reading import Reading
from theory.moments.sums import Sums

__all__ = ["Moments"]


def __dir__() -> list[str]:
    return [*__all__, *(name for name in globals() if name.startswith("__"))]


class Moments(Reading):
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

    Moments merge, and give those of a part, of blocks side by side and of linear functions of them, without the rows:

    >>> both = fit.merge(score)
    >>> both.count, both.covariance("wide", "target").shape
    (3000, (16, 1))
    >>> both.concatenate({"features": ["narrow", "wide"]}).widths
    {'features': 20}
    >>> difference = both.transform({"left": {"target": None, "wide": np.zeros((16, 1))}})
    >>> bool(np.allclose(difference.variance("left"), both.variance("target")))
    True

    Where a covariance is known there is no need of samples:

    >>> teacher = Moments.exact({"unit": 1, "target": 1}, [0, 0], [[1.0, 0.6], [0.6, 1.0]])
    >>> round(span_error(teacher, source="unit", target="target"), 4)
    0.64

    Parameters
    ----------
    precision : {"auto", "float64", "float32"}, default "auto"
        Precision of the products on the CPU: "auto" follows the rule in the module's docstring, "float32" uses float32
        products for float32 features of any width.

    Raises
    ------
    InputError
        Another precision.

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
            Shapes that do not fit, values that are not finite, or a matrix that is no covariance.

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
            A vector is a single unit. Every block has the same rows, every batch the same names and units. NumPy arrays
            (or what converts to one) and torch tensors of any float dtype on any device; integers and booleans are taken as
            numbers. On an accelerator the sums stay there until they are read.

        Returns
        -------
        Moments
            Itself.

        Raises
        ------
        InputError
            Names, shapes or devices that do not fit, an empty batch, or values that are not finite. After the last one
            this object refuses to be used: some of the batch is already in the sums.

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
        """This object, which is new, with these sums."""
        self._slices, self._sums = slices, sums
        self._check_range(sums)
        return self

    # ------------------------------------------------------------------ new moments from old

    def _new(self, widths: Mapping[str, int], mean: np.ndarray, comoment: np.ndarray) -> "Moments":
        """Moments of as many rows."""
        sums = self._settled()
        return Moments(precision=self._precision)._from(
            lay_out(widths), Sums(sums.count, mean, np.zeros(len(mean)), comoment, single=sums.single))

    def select(self, *names: str) -> "Moments":
        """Moments of some of the blocks.

        Parameters
        ----------
        *names : str
            Blocks, in the order wanted.

        Returns
        -------
        Moments

        Raises
        ------
        InputError
            A block that does not exist, or none.
        """
        return self.concatenate({name: name for name in names})

    def concatenate(self, groups: Mapping[str, Names]) -> "Moments":
        """Moments of new blocks, each made of old ones side by side.

        Parameters
        ----------
        groups : mapping of str to str or sequence of str
            New block to old ones: ``{"narrow": ["net0", "net1"], "wide": "wide"}``.

        Returns
        -------
        Moments

        Raises
        ------
        InputError
            A block that does not exist, or none.
        """
        every = [old for group in groups.values() for old in listed(group)]
        widths = {new: self.units(group) for new, group in groups.items()}
        return self._new(widths, self.mean(every), self.covariance(every) * self._settled().divisor)

    def take(self, units: Mapping[str, np.ndarray | Sequence[int] | slice]) -> "Moments":
        """Moments of some units of each named block.

        Parameters
        ----------
        units : mapping of str to array of int or bool, or slice
            Block to the indices or the mask of its units.

        Returns
        -------
        Moments

        Raises
        ------
        InputError
            A block that does not exist, or no units.

        Examples
        --------
        >>> m = Moments.from_samples({"a": [[1.0, 2.0, 3.0], [3.0, 2.0, 5.0]]})
        >>> m.take({"a": [2, 0]}).mean("a")
        array([4., 2.])
        """
        chosen, widths = [np.zeros(0, int)], {}
        for name, which in units.items():
            (place,) = find(self._slices, name)
            chosen.append(np.arange(place.start, place.stop)[which])
            widths[name] = len(chosen[-1])
        index = np.concatenate(chosen)
        return self._new(widths, self.mean(self.names)[index], self._settled().gram[np.ix_(index, index)])

    def transform(self, maps: Mapping[str, Mapping[str, np.ndarray | None]],
                  offsets: Mapping[str, np.ndarray] | None = None) -> "Moments":
        """Moments of linear functions of the blocks: new = sum over old of x_old @ M_old (+ offset); exact.

        Parameters
        ----------
        maps : mapping of str to mapping of str to array of shape (units of old, units of new), or None
            New block to old ones, each with its matrix M; None stands for the identity.
        offsets : mapping of str to array of shape (units of new,), optional
            What is added to the mean of new blocks.

        Returns
        -------
        Moments
            With the same count.

        Raises
        ------
        InputError
            Maps or offsets that do not fit or are not finite, or that lead to features whose squares are no numbers.

        Examples
        --------
        >>> m = Moments.exact({"a": 2}, [1, 2], [[1, 0], [0, 4]])
        >>> total = m.transform({"sum": {"a": np.ones((2, 1))}}, {"sum": np.array([10.0])})
        >>> total.mean("sum"), total.variance("sum")
        (array([13.]), array([5.]))
        """
        sums, mean = self._settled(), self.mean(self.names)
        terms = checked_maps(self._slices, maps)
        widths = widths_of(terms)
        means = [mapped(mean, parts) + checked_offset(new, (offsets or {}).get(new), widths[new])
                 for new, parts in terms.items()]
        refuse_vanishing(terms, np.sqrt(np.maximum(sums.gram.diagonal(), 0.0) / sums.divisor))
        with np.errstate(over="ignore", invalid="ignore"):  # the range of the result is checked
            half = np.hstack([mapped(sums.gram, parts) for parts in terms.values()])
            full = np.vstack([sum((half[place] if matrix is None else matrix.T @ half[place] for place, matrix in parts),
                                  start=np.zeros(())) for parts in terms.values()])
        return self._new(widths, np.concatenate(means), (full + full.T) / 2)

    def with_block(self, name: str, mean: np.ndarray, covariance: np.ndarray, cross: np.ndarray) -> "Moments":
        """Moments with one more block, whose own moments are known.

        Parameters
        ----------
        name : str
            Of the new block.
        mean : ndarray of shape (units,)
            Its means.
        covariance : ndarray of shape (units, units)
            Its own covariance, divided by n.
        cross : ndarray of shape (units of all old blocks, units)
            Covariance between the old blocks and the new one.

        Returns
        -------
        Moments
            With the same count.

        Raises
        ------
        InputError
            A name that is taken.

        Examples
        --------
        >>> m = Moments.exact({"a": 1}, [0], [[1]])
        >>> m.with_block("b", np.zeros(1), np.eye(1), np.full((1, 1), 0.5)).covariance("a", "b")
        array([[0.5]])
        """
        if name in self._slices:
            raise InputError(f"there is a block {name!r} already")
        joint = np.block([[self.covariance(self.names), cross], [cross.T, covariance]])
        return self._new({**self.widths, name: len(mean)}, np.concatenate([self.mean(self.names), mean]),
                         joint * self._settled().divisor)

    def merge(self, other: "Moments") -> "Moments":
        """Moments of the rows of both, as new moments.

        Parameters
        ----------
        other : Moments
            Of other rows of the same blocks, in the same order.

        Returns
        -------
        Moments

        Raises
        ------
        InputError
            Exact moments, other blocks, or no rows yet.

        Examples
        --------
        >>> a, b = Moments.from_samples({"x": [1.0, 2.0]}), Moments.from_samples({"x": [6.0]})
        >>> a.merge(b).mean("x")
        array([3.])
        """
        if self.is_exact or other.is_exact:
            raise InputError("exact moments do not merge: there are no samples to pool")
        if self.widths != other.widths or self.names != other.names:
            raise InputError(f"moments of different blocks do not merge: {self.widths} and {other.widths}")
        return Moments(precision=self._precision)._from(self._slices, self._settled().merged(other._settled()))

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
