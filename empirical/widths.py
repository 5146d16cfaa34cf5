"""Channel counts at a width multiplier, and checks of the widths of a sweep."""

from collections.abc import Sequence
from fractions import Fraction

from lab.errors import ArgumentError

MOST_CHANNELS, MOST_COPIES = 2**16, 2**12


class Widths:
    """Channel counts of an architecture at one width multiplier.

    Parameters
    ----------
    alpha : Fraction or int or str
        Width multiplier, exact: ``Fraction(1, 8)`` or ``"1/8"``.
    base_width : int
        Channels that stand for one unit of width at alpha = 1 (64 in the standard ResNet-18 and VGG-16).

    Examples
    --------
    >>> widths = Widths("1/8", base_width=64)
    >>> widths(1, "the stem"), widths(2, "stage 2")
    (8, 16)
    """

    def __init__(self, alpha: Fraction | int | str, base_width: int) -> None:
        self.alpha, self.base_width = Fraction(alpha), base_width

    def __call__(self, units: int, layer: str) -> int:
        """Channels of a layer that has ``units * base_width`` at alpha = 1.

        Parameters
        ----------
        units : int
            Units of width.
        layer : str
            Name of the layer in error messages.

        Returns
        -------
        int
            ``alpha * base_width * units``.

        Raises
        ------
        ArgumentError
            If alpha leaves the layer without channels, with a fraction of one, or with more than ``MOST_CHANNELS``.
        """
        exact = self.alpha * self.base_width * units
        if exact < 1:
            raise ArgumentError(f"alpha {self.alpha} leaves {layer} without channels: at base_width {self.base_width} "
                                f"the smallest alpha is 1/{self.base_width}", "alpha", "base_width")
        if exact.denominator != 1:
            raise ArgumentError(f"alpha {self.alpha} gives {layer} {float(exact):g} channels: at base_width "
                                f"{self.base_width} it must be a multiple of 1/{self.base_width}", "alpha", "base_width")
        if exact > MOST_CHANNELS:
            raise ArgumentError(f"alpha {self.alpha} gives {layer} {int(exact):,} channels, but at most {MOST_CHANNELS:,} are "
                                "possible", "alpha")
        return int(exact)


def refuse_width(alpha: Fraction, base_width: int) -> None:
    """Refuse a width that leaves the first layer without channels, or with a fraction of one.

    Parameters
    ----------
    alpha : Fraction
        Width multiplier.
    base_width : int
        As in :func:`check_alphas`.

    Raises
    ------
    ArgumentError
        If it does.
    """
    if base_width:
        Widths(alpha, base_width)(1, "the first layer")


def check_alphas(alphas: Sequence[Fraction], base_width: int) -> None:
    """Refuse widths that are impossible in a sweep, whatever the data.

    Parameters
    ----------
    alphas : sequence of Fraction
        Width multipliers; the largest is the wide network's.
    base_width : int
        Channels that stand for one unit of width at alpha = 1; 0 if a user's own architecture defines its widths.

    Raises
    ------
    ArgumentError
        For a layer without channels or with a fraction of one, or if the widest width is not a multiple of another, or is too
        large a multiple.
    """
    reference = max(alphas)
    for alpha in alphas:
        if (reference / alpha).denominator != 1:
            raise ArgumentError(f"alpha {reference} is not a multiple of alpha {alpha}: no number of copies has as many features "
                                "as the wide network")
        refuse_width(alpha, base_width)
        if reference / alpha > MOST_COPIES:
            raise ArgumentError(f"alpha {alpha} needs {reference / alpha} copies, but at most {MOST_COPIES:,} are possible")
