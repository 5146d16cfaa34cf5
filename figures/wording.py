"""Numbers and lists as text for readers."""

import math
from collections.abc import Iterable, Mapping
from numbers import Integral, Real

COLUMN_NAMES = {"theory": "theory", "toy": "toy models", "real": "real networks"}


def number(value, digits: int = 3) -> str:
    """A number to three significant digits, without needless exponents."""
    if value is None or value != value:
        return "–"
    if abs(value) < 1e-12:
        return "0"
    text = f"{value:.{digits}g}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        return f"{mantissa}·10<sup>{int(exponent)}</sup>".replace("-", "−")
    return text.replace("-", "−")


def estimate(item: Mapping) -> str:
    """``mean [low, high]`` of one piece of evidence; the caller adds n."""
    if item["n"] == 0:
        return number(item["mean"])
    if item["low"] is None:
        return f"{number(item['mean'])} (one run)"
    return f"{number(item['mean'])} <span class=interval>[{number(item['low'])}, {number(item['high'])}]</span>"


def cell(value) -> str:
    """A table cell: real numbers to four significant digits, everything else unchanged."""
    return number(value, 4) if isinstance(value, Real) and not isinstance(value, Integral) else str(value)


def listed(words: Iterable[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    words = list(words)
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def counted(count: int, noun: str, plural: str = "") -> str:
    """``1 claim``, ``2 claims``."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def span(values: Iterable[float], text=str) -> str:
    """``3`` if all values are equal, else ``3 to 8``."""
    values = sorted(v for v in values if v is not None and not math.isnan(v))
    if not values:
        return "–"
    first, last = text(values[0]), text(values[-1])
    return first if first == last else f"{first} to {last}"


def duration(seconds: float) -> str:
    """``40 s``, ``12 min``, ``3.5 h``."""
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def capital(text: str) -> str:
    """The text with its first letter capitalised."""
    return text[:1].upper() + text[1:]


def chance(errors: Mapping) -> str:
    """How many verdicts are expected to be wrong, as a sentence (:func:`theory.verdict.decide.wrong`)."""
    return (f"of {counted(errors['decided'], 'decided verdict')}, {errors['expected']:.2g} would be expected to be wrong given "
            f"the p-values, and at most {errors['at_most']:.2g} if every effect lay exactly on its bound")
