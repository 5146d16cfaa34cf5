"""One bump that slides, or several that start independently; the results are stated in :mod:`theory.bumps`."""

import numpy as np
import numpy.typing as npt

from lab.arrays import floats
from lab.docstrings import arguments_as_in
from lab.errors import ArgumentError
from lab.names import renamed
from theory.bumps.arguments import nonnegative, out, positive


def _scales(bump_width: float, target_width: float | None, height: float) -> tuple[float, float]:
    target_width = bump_width if target_width is None else target_width
    positive(bump_width=bump_width, target_width=target_width, height=height)
    q = bump_width**2 + target_width**2
    return q, height * np.sqrt(2 * np.pi) * bump_width * target_width / np.sqrt(q)


@renamed(width="bump_width")
def sliding_loss(distance: npt.ArrayLike, bump_width: float = 1.0, target_width: float | None = None,
                 height: float = 1.0) -> np.ndarray | float:
    """Half the squared error of one bump at a distance from the target's centre (inputs uniform with density 1).

    Source: derived here (``bumps-sliding``).

    Parameters
    ----------
    distance : array_like
        D, any real numbers.
    bump_width : float, default 1
        Width s > 0 of the model's bump.
    target_width : float, optional
        Width w > 0 of the target; s by default.
    height : float, default 1
        Height A > 0 of the target.

    Returns
    -------
    float or ndarray
        Array of the shape of ``distance``.

    Raises
    ------
    InputError
        If a width or the height is not positive and finite.

    Examples
    --------
    >>> sliding_loss([1.0, 2.0, 8.0]).round(4)
    array([0.3921, 1.1204, 1.7725])
    """
    q, overlap = _scales(bump_width, target_width, height)
    target_width = bump_width if target_width is None else target_width
    own = np.sqrt(np.pi) * (bump_width + height**2 * target_width) / 2
    return out(own - overlap * np.exp(-floats(distance, "distance") ** 2 / (2 * q)))


@renamed(width="bump_width")
@arguments_as_in(sliding_loss)
def pull(distance: npt.ArrayLike, bump_width: float = 1.0, target_width: float | None = None,
         height: float = 1.0) -> np.ndarray | float:
    """-dD/dt of a sliding bump: its speed towards the target (negative distances give negative pulls).

    Source: derived here (``bumps-sliding``).

    Parameters
    ----------

    Returns
    -------
    float or ndarray
        Array of the shape of ``distance``.

    Raises
    ------
    InputError
        If a width or the height is not positive and finite.

    Examples
    --------
    >>> pull([0.0, 1.0, 8.0]).round(4)
    array([0.    , 0.6902, 0.    ])
    """
    q, overlap = _scales(bump_width, target_width, height)
    distance = floats(distance, "distance")
    return out(overlap / q * distance * np.exp(-(distance**2) / (2 * q)))


@renamed(width="bump_width")
@arguments_as_in(sliding_loss)
def sliding_time(start: npt.ArrayLike, end: npt.ArrayLike, bump_width: float = 1.0, target_width: float | None = None,
                 height: float = 1.0) -> np.ndarray | float:
    """Time in which the distance falls from ``start`` to ``end``.

    Source: derived here (``bumps-sliding``).

    Parameters
    ----------
    start : array_like
        Initial distance, at least ``end``; the two broadcast.
    end : array_like
        Final distance, above 0.

    Returns
    -------
    float or ndarray
        Time of gradient flow, at least 0 (inf if it exceeds the largest double), of the broadcast shape.

    Raises
    ------
    InputError
        If ``end`` is not positive or above ``start``, or a width or the height is not positive and finite.

    Examples
    --------
    >>> sliding_time([1.0, 3.0, 6.0], 0.1).round(2)
    array([  2.75,   6.4 , 588.61])
    """
    from scipy.special import expi

    start, end = floats(start, "start"), floats(end, "end")
    positive(end=end)
    if not np.all(start >= end):
        raise ArgumentError("a bump slides from a larger to a smaller distance: start >= end is needed")
    q, overlap = _scales(bump_width, target_width, height)
    return out(q / (2 * overlap) * (expi(start**2 / (2 * q)) - expi(end**2 / (2 * q))))


@renamed(width="bump_width")
@arguments_as_in(sliding_loss)
def reach(time: npt.ArrayLike, end: float, bump_width: float = 1.0, target_width: float | None = None,
          height: float = 1.0) -> np.ndarray | float:
    """Largest starting distance from which the distance ``end`` is attained within ``time``.

    Source: derived here, by inverting :func:`sliding_time`.

    Parameters
    ----------
    time : array_like
        Time of gradient flow, at least 0.
    end : float
        Distance to be attained, above 0.

    Returns
    -------
    float or ndarray
        Distance of at least ``end``, of the shape of ``time``; capped at sqrt(1400 q), where the time exceeds 1e300.

    Raises
    ------
    InputError
        If a time is negative, or ``end``, a width or the height is not positive and finite.

    Examples
    --------
    >>> reach([0.0, 10.0, 1000.0], 0.1).round(2)
    array([0.1 , 3.64, 6.2 ])
    """
    time = nonnegative("time", time)
    positive(end=end)
    q, _ = _scales(bump_width, target_width, height)
    low, high = np.full(time.shape, float(end)), np.full(time.shape, max(np.sqrt(1400.0 * q), float(end)))
    for _ in range(100):
        middle = 0.5 * (low + high)
        soon = sliding_time(middle, end, bump_width, target_width, height) <= time
        low, high = np.where(soon, middle, low), np.where(soon, high, middle)
    return out(low)


def success_probability(bumps: npt.ArrayLike, within: npt.ArrayLike, half_line: float,
                        target: float = 0.0) -> np.ndarray | float:
    """P(at least one of m bumps, started uniformly on [-l, l], lies within a distance of the target).

    Source: derived here (``bumps-success``).

    Parameters
    ----------
    bumps : array_like
        Number m of bumps, at least 0; broadcasts with ``within``.
    within : array_like
        Distance, at least 0, such as the :func:`reach`.
    half_line : float
        l > 0.
    target : float, default 0
        Centre of the target.

    Returns
    -------
    float or ndarray
        1 - (1 - share)^m, of the broadcast shape.

    Raises
    ------
    InputError
        If a number of bumps or a distance is negative, or ``half_line`` is not positive and finite.

    Examples
    --------
    >>> success_probability([1, 2, 10], 1.0, 4.0).round(4)
    array([0.25  , 0.4375, 0.9437])
    """
    bumps, within = nonnegative("bumps", bumps), nonnegative("within", within)
    positive(half_line=half_line)
    inside = np.minimum(half_line, target + within) - np.maximum(-half_line, target - within)
    share = np.clip(inside, 0.0, None) / (2 * half_line)
    with np.errstate(divide="ignore", invalid="ignore"):
        missed = np.where(bumps > 0, bumps * np.log1p(-np.minimum(share, 1.0)), 0.0)
    return out(-np.expm1(missed))


@arguments_as_in(success_probability)
def bumps_needed(probability: npt.ArrayLike, within: npt.ArrayLike, half_line: float,
                 target: float = 0.0) -> np.ndarray | float:
    """Smallest number of bumps with P(success) >= probability.

    Source: derived here, by inverting :func:`success_probability`.

    Parameters
    ----------
    probability : array_like
        In [0, 1); broadcasts with ``within``.

    Returns
    -------
    float or ndarray
        Whole numbers; inf if no start is within reach.

    Raises
    ------
    InputError
        If a probability lies outside [0, 1), a distance is negative, or ``half_line`` is not positive and finite.

    Examples
    --------
    >>> bumps_needed([0.5, 0.9, 0.99], 1.0, 4.0)
    array([ 3.,  9., 17.])
    """
    probability = floats(probability, "probability")
    if not np.all((probability >= 0) & (probability < 1)):
        raise ArgumentError("the probability must lie in [0, 1)")
    share = np.asarray(success_probability(1, within, half_line, target))
    with np.errstate(divide="ignore", invalid="ignore"):
        m = np.ceil(np.log1p(-probability) / np.log1p(-share) * (1 - 1e-14))
    return out(np.where(probability == 0, 0.0, np.where(share == 0, np.inf, np.maximum(m, 1.0))))


@renamed(width="bump_width")
def arrival_probability(time: npt.ArrayLike, bumps: npt.ArrayLike, half_line: float, end: float, target: float = 0.0,
                        bump_width: float = 1.0, target_width: float | None = None,
                        height: float = 1.0) -> np.ndarray | float:
    """P(some bump is within ``end`` of the target by ``time``): the distribution of the time to converge.

    Source: derived here (``bumps-success``).

    Parameters
    ----------
    time : array_like
        Time of gradient flow, at least 0; broadcasts with ``bumps``.
    bumps : array_like
        Number m of bumps, at least 0, which start uniformly on [-l, l].
    half_line : float
        l > 0.
    end : float
        Distance to be attained, above 0.
    target : float, default 0
        Centre of the target.
    bump_width : float, default 1
        Width s > 0 of the model's bumps.
    target_width : float, optional
        Width w > 0 of the target; s by default.
    height : float, default 1
        Height A > 0 of the target.

    Returns
    -------
    float or ndarray
        In [0, 1], of the broadcast shape.

    Raises
    ------
    InputError
        As :func:`reach` and :func:`success_probability`.

    Examples
    --------
    >>> arrival_probability([1.0, 100.0], 5, 12.0, 0.1).round(3)
    array([0.097, 0.943])
    """
    return success_probability(bumps, reach(time, end, bump_width, target_width, height), half_line, target)
