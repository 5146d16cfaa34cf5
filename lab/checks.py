"""Validation of plain numbers: counts, seeds, rates, choices.

``int(value) != value`` accepts True, ``value > 0`` fails for complex numbers and strings with an obscure error, and NaN passes
every ``if value < 0``. So every function that takes such arguments from a caller passes them through here: each check returns
the value as a plain Python number, or raises a one-line error that names the argument. (For arrays of data see
:mod:`lab.arrays`.)
"""

import math
import numbers
import operator
import reprlib
from collections.abc import Sequence
from typing import NoReturn, TypedDict, Unpack

import numpy as np

from lab.arrays import floats, is_masked
from lab.errors import ArgumentError, InputError

MOST = 10**9  # largest count of anything
MOST_BYTES = 2**32  # memory that the numbers of one call may take at a time


class Bounds(TypedDict, total=False):
    """Bounds of a number, as keyword arguments of :func:`real_number`."""

    least: float
    above: float
    most: float
    below: float
    finite: bool


def _refuse(name: str, wanted: str, value) -> NoReturn:
    raise ArgumentError(f"{name} must be {wanted}, got {reprlib.repr(value)}", name.removeprefix("each of "))


def _spelt(number: int) -> str:
    return f"{number:,}" if abs(number) < 10**12 else f"2**{(number + 1).bit_length() - 1} - 1"


def whole_number(name: str, value, least: int = 1, most: int = MOST) -> int:
    """The value as an int, if it is a whole number in ``least .. most``; NumPy's integers are, floats like 8.0 are not.

    Raises
    ------
    ArgumentError
        For anything else: out of range, a bool, a float, a string.
    """
    if type(value) is int and least <= value <= most:
        return value
    try:
        number = least - 1 if _is_bool(value) or is_masked(value) else operator.index(value)
    except TypeError:
        number = least - 1
    if not least <= number <= most:
        wanted = f"of at least {least}" if most == MOST and number < least else f"from {least} to {_spelt(most)}"
        _refuse(name, f"a whole number {wanted}", value)
    return number


def _is_bool(value) -> bool:
    return isinstance(value, bool | np.bool_) or "bool" in str(getattr(value, "dtype", ""))


def _range(least, above, most, below, finite) -> str:
    """``a number in [0, 1)`` and the like."""
    low, high = max(least, above), min(most, below)
    if math.isfinite(low) and math.isfinite(high):
        return f"a number in {'(' if above == low else '['}{low:g}, {high:g}{')' if below == high else ']'}"
    kind = "a finite number" if finite else "a number"
    if math.isfinite(low):
        return f"{kind} above {low:g}" if above == low else f"{kind} of at least {low:g}"
    if math.isfinite(high):
        return f"{kind} below {high:g}" if below == high else f"{kind} of at most {high:g}"
    return kind


def real_number(name: str, value, *, least: float = -math.inf, above: float = -math.inf, most: float = math.inf,
                below: float = math.inf, finite: bool = True) -> float:
    """The value as a float, if it is a real number with least <= value <= most and above < value < below.

    Parameters
    ----------
    finite : bool, default True
        False accepts infinities (NaN is never accepted).

    Raises
    ------
    ArgumentError
        For anything else: out of range, NaN, a bool, a complex number, a string, an array with axes.
    """
    if isinstance(value, np.ndarray) and value.shape == () and value.dtype.kind in "fiu" and not is_masked(value):
        value = value[()]
    number = math.nan
    if isinstance(value, numbers.Real) and not _is_bool(value):
        try:
            number = float(value)
        except OverflowError:
            number = math.copysign(math.inf, value)
    # without a bound, "above" is -inf, which the number -inf may equal; likewise "below"
    inside = (least <= number <= most and (above < number or above == -math.inf)
              and (number < below or below == math.inf))
    if not inside or (finite and math.isinf(number)):
        _refuse(name, _range(least, above, most, below, finite), value)
    return number


def whole_numbers(name: str, values, least: int = 1, most: int = MOST) -> list[int]:
    """One or more whole numbers; raises as :func:`whole_number`."""
    if isinstance(values, np.ndarray) and not is_masked(values):
        values = list(values.ravel()) if values.dtype.kind != "b" else values
    if isinstance(values, str) or not isinstance(values, Sequence | range) or not len(values):
        _refuse(name, "one or more whole numbers", values)
    return [whole_number(f"each of {name}", value, least, most) for value in values]


def real_numbers(name: str, values, *, increasing: bool = False, **bounds: Unpack[Bounds]) -> np.ndarray:
    """One or more real numbers as a float64 vector; a single number is a vector of one.

    Parameters
    ----------
    increasing : bool, default False
        Whether each number must be at least the one before.
    **bounds
        See :func:`real_number`.

    Raises
    ------
    ArgumentError
        As :func:`real_number`; if the values are not an array of real numbers.
    """
    try:
        array = np.atleast_1d(floats(values, name))
    except InputError as error:
        raise ArgumentError(str(error), name) from None
    if array.ndim != 1 or not array.size or any(map(_is_bool, np.ravel(np.asarray(values, dtype=object)))):
        _refuse(name, "one or more numbers", values)
    for value in array:
        real_number(f"each of {name}", float(value), **bounds)
    if increasing and np.any(np.diff(array) < 0):
        _refuse(name, "in increasing order", values)
    return array


def choice(name: str, value, allowed: Sequence[str]) -> str:
    """The value, if it is one of the allowed strings."""
    if not isinstance(value, str) or value not in allowed:
        _refuse(name, f"one of {', '.join(allowed)}", value)
    return value


def switch(name: str, value) -> bool:
    """The value, if it is True or False."""
    if not isinstance(value, bool | np.bool_):
        _refuse(name, "True or False", value)
    return bool(value)


def seed(value, name: str = "seed") -> int:
    """The value, if it can be a seed: 0 .. 2**64 - 1."""
    return whole_number(name, value, 0, 2**64 - 1)


def limits(*, threads=None, time_limit=None) -> None:
    """Refuse a number of threads, or a time limit in seconds, that is neither None nor valid."""
    if threads is not None:
        whole_number("threads", threads, 1, 4096)
    if time_limit is not None:
        real_number("time_limit", time_limit, least=0, finite=False)


def fits_memory(**counts: int) -> None:
    """Refuse counts whose product, as float64 numbers, needs more memory than one call may use (4 GB).

    Raises
    ------
    ArgumentError
        Names the counts.
    """
    total = 8 * math.prod(counts.values())
    if total > MOST_BYTES:
        parts = " x ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in counts.items())
        raise ArgumentError(f"{parts} would take {total / 2**30:,.0f} GB of memory at a time: lower one of them")
