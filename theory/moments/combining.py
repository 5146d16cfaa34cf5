"""New moments from old ones, without the rows: of some blocks or units, of linear functions of them, of merged rows."""

from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np

from lab.errors import InputError
from theory.moments.layout import (
    Names,
    Slices,
    checked_maps,
    checked_offset,
    find,
    lay_out,
    listed,
    mapped,
    refuse_vanishing,
    widths_of,
)
from theory.moments.reading import Reading
from theory.moments.sums import Sums


class Combining(Reading):
    """The part of :class:`theory.moments.Moments` that makes new moments from existing ones."""

    def _made(self, slices: Slices, sums: Sums) -> Self:
        """New moments of the same precision, with these sums."""
        raise NotImplementedError

    def _new(self, widths: Mapping[str, int], mean: np.ndarray, comoment: np.ndarray) -> Self:
        """New moments of the same number of rows."""
        sums = self._settled()
        return self._made(lay_out(widths), Sums(sums.count, mean, np.zeros(len(mean)), comoment, single=sums.single))

    def select(self, *names: str) -> Self:
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

    def concatenate(self, groups: Mapping[str, Names]) -> Self:
        """Moments of new blocks, each made of old ones side by side.

        Parameters
        ----------
        groups : mapping of str to str or sequence of str
            New block → old blocks: ``{"narrow": ["net0", "net1"], "wide": "wide"}``.

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

    def take(self, units: Mapping[str, np.ndarray | Sequence[int] | slice]) -> Self:
        """Moments of some units of each named block.

        Parameters
        ----------
        units : mapping of str to array of int or bool, or slice
            Block → indices or mask of its units.

        Returns
        -------
        Moments

        Raises
        ------
        InputError
            A block that does not exist, or no units.

        Examples
        --------
        >>> from theory.moments import Moments
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
                  offsets: Mapping[str, np.ndarray] | None = None) -> Self:
        """Moments of linear functions of the blocks: new = sum over old of x_old @ M_old (+ offset); exact.

        Parameters
        ----------
        maps : mapping of str to mapping of str to array of shape (units of old, units of new), or None
            New block → old blocks, each with its matrix M; None stands for the identity.
        offsets : mapping of str to array of shape (units of new,), optional
            Added to the means of new blocks.

        Returns
        -------
        Moments
            With the same count.

        Raises
        ------
        InputError
            Maps or offsets that do not fit or are not finite, or features whose squares over- or underflow.

        Examples
        --------
        >>> from theory.moments import Moments
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

    def with_block(self, name: str, mean: np.ndarray, covariance: np.ndarray, cross: np.ndarray) -> Self:
        """Moments with one more block, whose moments are given.

        Parameters
        ----------
        name : str
            Name of the new block.
        mean : ndarray of shape (units,)
            Means of its units.
        covariance : ndarray of shape (units, units)
            Covariance of its units, divided by n.
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
        >>> from theory.moments import Moments
        >>> m = Moments.exact({"a": 1}, [0], [[1]])
        >>> m.with_block("b", np.zeros(1), np.eye(1), np.full((1, 1), 0.5)).covariance("a", "b")
        array([[0.5]])
        """
        if name in self._slices:
            raise InputError(f"there is a block {name!r} already")
        joint = np.block([[self.covariance(self.names), cross], [cross.T, covariance]])
        return self._new({**self.widths, name: len(mean)}, np.concatenate([self.mean(self.names), mean]),
                         joint * self._settled().divisor)

    def merge(self, other: Self) -> Self:
        """Moments of the rows of both, as new moments.

        Parameters
        ----------
        other : Moments
            Moments of other rows of the same blocks, in the same order.

        Returns
        -------
        Moments

        Raises
        ------
        InputError
            Exact moments, other blocks, or no rows yet.

        Examples
        --------
        >>> from theory.moments import Moments
        >>> a, b = Moments.from_samples({"x": [1.0, 2.0]}), Moments.from_samples({"x": [6.0]})
        >>> a.merge(b).mean("x")
        array([3.])
        """
        if self.is_exact or other.is_exact:
            raise InputError("exact moments do not merge: there are no samples to pool")
        if self.widths != other.widths or self.names != other.names:
            raise InputError(f"moments of different blocks do not merge: {self.widths} and {other.widths}")
        return self._made(self._slices, self._settled().merged(other._settled()))
