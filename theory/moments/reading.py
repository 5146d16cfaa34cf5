"""Reading moments: sizes, means, covariances."""

import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from lab.errors import InputError
from theory.moments.accumulate import LEAST
from theory.moments.layout import Names, Slices, consecutive, find, length
from theory.moments.sums import Sums

T = TypeVar("T")


class Reading:
    """The part of :class:`theory.moments.Moments` that reads: the sums, and the position of each block in them."""

    def __init__(self) -> None:
        self._slices: Slices = {}
        self._sums: Sums | None = None  # until there are rows
        self._spoiled: str | None = None
        self._memory: dict[tuple, Any] = {}

    def _spoil(self, x: np.ndarray) -> None:
        bad = ~np.isfinite(x)
        where = [f"{int(bad[:, place].any(axis=0).sum())} units of {name!r}"
                 for name, place in self._slices.items() if bad[:, place].any()]
        self._spoiled = "features that are not finite (NaN, infinity or overflow): " + (", ".join(where) or "overflow")
        raise InputError(self._spoiled)

    def _usable(self) -> None:
        if self._spoiled:
            raise InputError(f"these moments are spoiled by {self._spoiled}; build them anew")

    def _settled(self) -> Sums:
        """The sums with every row in them, about the mean."""
        self._usable()
        sums = self._sums
        if sums is None or sums.count == 0:
            raise InputError("no samples yet: call update first")
        sums.gather()
        if not sums.centred:
            if not np.isfinite(sums.total).all():
                self._spoil(sums.total[None, :])
            sums.centre()
            try:
                self._check_range(sums)
            except InputError as error:
                self._spoiled = str(error)
                raise
        return sums

    def _check_range(self, sums: Sums) -> None:
        """Refuse blocks whose variances overflow or have lost digits to underflow."""
        variance = sums.variance()
        for name, place in self._slices.items():
            largest = float(variance[place].max())
            if not largest <= 1 / LEAST:
                raise InputError(f"features {name!r} are so large that their squares overflow: divide them by a power of two")
            if 0 < largest < LEAST or (largest == 0 and sums.vanished[place].any()):
                raise InputError(f"features {name!r} are so small that their squares vanish: multiply them by a power of two")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the blocks, in order."""
        return tuple(self._slices)

    @property
    def widths(self) -> dict[str, int]:
        """Units of each block."""
        return {name: length(place) for name, place in self._slices.items()}

    @property
    def width(self) -> int:
        """Units of all blocks together."""
        return max((place.stop for place in self._slices.values()), default=0)

    @property
    def count(self) -> int | None:
        """Number of rows seen; None for exact moments."""
        return 0 if self._sums is None else self._sums.count

    @property
    def sample_size(self) -> float:
        """Number of rows seen, as a float: infinite for exact moments."""
        count = self.count
        return math.inf if count is None else count

    @property
    def is_exact(self) -> bool:
        """Whether these are the moments of a distribution, not of samples."""
        return self.count is None

    @property
    def rounding(self) -> float:
        """Eigenvalues of a covariance below this share of the largest are rounding errors, not directions of the features."""
        return 1e-6 if self._sums is not None and self._sums.single else 1e-12

    def units(self, names: Names) -> int:
        """Number of units.

        Parameters
        ----------
        names : str or sequence of str
            One block, or several together.

        Returns
        -------
        int

        Raises
        ------
        InputError
            A block that does not exist.
        """
        return sum(map(length, find(self._slices, names)))

    def mean(self, names: Names) -> np.ndarray:
        """Means of units.

        Parameters
        ----------
        names : str or sequence of str
            One block, or several side by side.

        Returns
        -------
        ndarray of shape (units,)

        Raises
        ------
        InputError
            A block that does not exist, or no rows yet.
        """
        mean = self._settled().mean()
        return np.concatenate([mean[place] for place in find(self._slices, names)])

    def variance(self, names: Names) -> np.ndarray:
        """Variances of units, divided by n.

        Parameters
        ----------
        names : str or sequence of str
            One block, or several side by side.

        Returns
        -------
        ndarray of shape (units,)

        Raises
        ------
        InputError
            A block that does not exist, or no rows yet.
        """
        variance = self._settled().variance()
        return np.concatenate([variance[place] for place in find(self._slices, names)])

    def scale(self, names: Names) -> float:
        """The largest power of two that does not exceed the largest standard deviation of units.

        Parameters
        ----------
        names : str or sequence of str
            One block, or several together.

        Returns
        -------
        float
            1 if no unit varies.
        """
        largest = float(self.variance(names).max())
        return math.ldexp(1.0, (math.frexp(largest)[1] - 1) >> 1) if largest > 0 else 1.0

    def covariance(self, a: Names, b: Names | None = None, *, scale: float = 1.0) -> np.ndarray:
        """Covariance between units, divided by n.

        Parameters
        ----------
        a : str or sequence of str
            Block or blocks of the rows.
        b : str or sequence of str, optional
            Block or blocks of the columns; by default those of ``a``.
        scale : float, default 1
            Divisor, at no cost; a power of two changes no digit.

        Returns
        -------
        ndarray of shape (units of a, units of b)

        Raises
        ------
        InputError
            A block that does not exist, or no rows yet.

        Examples
        --------
        >>> from theory.moments import Moments
        >>> m = Moments.from_samples({"a": [0.0, 2.0, 4.0], "b": [1.0, 3.0, 2.0]})
        >>> m.covariance("a", "b").round(4)
        array([[0.6667]])
        """
        sums = self._settled()
        rows, columns = find(self._slices, a), find(self._slices, a if b is None else b)
        out = np.empty((sum(map(length, rows)), sum(map(length, columns))))
        for out_rows, r in consecutive(rows):
            for out_columns, c in consecutive(columns):
                np.divide(sums.gram[r, c], sums.divisor * scale, out=out[out_rows, out_columns])
        return out

    def remember(self, key: tuple, make: Callable[[], T]) -> T:
        """The result of ``make()``, computed once for these moments, such as a decomposition that several measures share.

        Parameters
        ----------
        key : tuple
            Names the result and its blocks.
        make : callable
            Takes no arguments; its result must not be changed.

        Returns
        -------
        object
            The result of ``make``.
        """
        self._settled()
        if key not in self._memory:
            self._memory[key] = make()
        return self._memory[key]

    def constant(self, names: Names) -> np.ndarray:
        """Which units do not vary (dead units among them): standard deviation within rounding of the mean.

        Parameters
        ----------
        names : str or sequence of str
            One block, or several side by side.

        Returns
        -------
        ndarray of bool, shape (units,)
        """
        rounding = 16 * np.finfo(np.float64).eps * np.abs(self.mean(names))
        return self.variance(names) <= rounding**2

    def __repr__(self) -> str:
        return f"Moments({self.widths}, count={'exact' if self.is_exact else self.count})"
