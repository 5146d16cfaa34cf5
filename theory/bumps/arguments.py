"""Arguments and results of the laws of bumps: positive scales, non-negative times and distances, scalars for scalars."""

import numpy as np
import numpy.typing as npt

from lab.arrays import floats
from lab.errors import ArgumentError


def positive(**values: float | np.ndarray) -> None:
    """Refuse values that are not positive and finite."""
    for name, value in values.items():
        if not np.all(floats(value, "value") > 0) or not np.all(np.isfinite(value)):
            raise ArgumentError(f"{name} must be positive and finite, got {value}")


def nonnegative(name: str, value: npt.ArrayLike) -> np.ndarray:
    """The value as a float array without negative numbers."""
    value = floats(value, "value")
    if not np.all(value >= 0):
        raise ArgumentError(f"{name} must be >= 0")
    return value


def out(value: np.ndarray) -> np.ndarray | float:
    """A float for a single number, otherwise the array."""
    return float(value) if np.ndim(value) == 0 else value
