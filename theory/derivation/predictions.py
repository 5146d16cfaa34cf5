"""Comparison of a formula's value with an independent number."""

import math
from dataclasses import asdict, dataclass

from numpy.typing import ArrayLike

from lab.arrays import floats
from lab.errors import InputError

__all__ = ["Prediction", "monte_carlo"]

SIGMAS = 4.5      # tolerance of a Monte Carlo comparison, in standard errors (two-sided chance 7e-6)
RELATIVE = 1e-8   # relative tolerance of a deterministic comparison


@dataclass(frozen=True)
class Prediction:
    """A formula's value and an independent number to compare it with.

    Parameters
    ----------
    name : str
        ``"erf-i3/near-singular"``.
    symbolic : float
        The formula's value.
    numeric : float
        The same quantity by quadrature, enumeration, plain Monte Carlo …
    standard_error : float, optional
        Standard error of ``numeric`` if it is random; None if it is deterministic.
    tolerance : float, optional
        Largest ``deviation`` that passes; by default 4.5 standard errors, or 1e-8 for a deterministic number.
    method : str
        How ``numeric`` was obtained.
    scale : float, optional
        Divisor of a deterministic difference; by default the larger of the two magnitudes. Needed if the true value is zero.

    Examples
    --------
    >>> Prediction("square", 2.0, 1.9, standard_error=0.05).deviation
    2.0...
    >>> Prediction("square", 2.0, 1.9).passed
    False
    """

    name: str
    symbolic: float
    numeric: float
    standard_error: float | None = None
    tolerance: float | None = None
    method: str = ""
    scale: float | None = None

    @property
    def deviation(self) -> float:
        """|symbolic − numeric| in standard errors (Monte Carlo) or relative to ``scale`` (deterministic)."""
        if self.symbolic == self.numeric:
            return 0.0
        difference = abs(self.symbolic - self.numeric)
        unit = self.standard_error
        if unit is None:
            unit = self.scale if self.scale is not None else max(abs(self.symbolic), abs(self.numeric))
        return difference / unit if unit > 0 else math.inf

    @property
    def limit(self) -> float:
        """The tolerance that applies."""
        if self.tolerance is not None:
            return self.tolerance
        return RELATIVE if self.standard_error is None else SIGMAS

    @property
    def passed(self) -> bool:
        """Whether the deviation is within tolerance (a NaN anywhere fails)."""
        return bool(self.deviation <= self.limit)

    def to_json(self) -> dict:
        """The fields, with the deviation, the tolerance that applies and whether the prediction passed."""
        return {**asdict(self), "deviation": self.deviation, "tolerance": self.limit, "passed": self.passed}


def monte_carlo(name: str, symbolic: float, samples: ArrayLike, method: str = "Monte Carlo",
                tolerance: float | None = None) -> Prediction:
    """A prediction whose numeric value is the mean of independent samples.

    Parameters
    ----------
    name : str
        As for :class:`Prediction`.
    symbolic : float
        The formula's value.
    samples : array_like
        Independent samples, at least two; any shape.
    method : str, default "Monte Carlo"
        How the samples were obtained.
    tolerance : float, optional
        In standard errors; default 4.5.

    Returns
    -------
    Prediction
        With the samples' mean as ``numeric``, and its standard error.

    Raises
    ------
    InputError
        With fewer than two samples.

    Examples
    --------
    >>> monte_carlo("mean", 2.0, [1.0, 2.0, 3.0, 4.0]).numeric
    2.5
    """
    values = floats(samples, "samples").ravel()
    if values.size < 2:
        raise InputError(f"{name}: a Monte Carlo mean needs at least two samples")
    error = float(values.std(ddof=1)) / math.sqrt(values.size)
    return Prediction(name, float(symbolic), float(values.mean()), error, tolerance, method)
