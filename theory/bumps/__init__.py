"""One bump that slides, or many that cover: the smallest model in which escape and coverage can be told apart.

The target is a Gaussian bump A exp(-x^2/2w^2) on the line, inputs uniform (density 1). Derived here throughout; the
question is from the public discussion of S2 (Martinelli, Brea, Gerstner et al. 2026).

**Sliding.** The model is one bump exp(-(x - c)^2/2s^2) of fixed height whose centre, at distance D from the
target's, follows the gradient of half the squared error. The loss is a constant minus the overlap A sqrt(2 pi) s
w/sqrt(q) e^(-D^2/2q), q = s^2 + w^2, so

    dD/dt = -A sqrt(2 pi) s w q^(-3/2) D e^(-D^2/2q)              (equal widths, A = 1: -(sqrt(pi)/2s) D e^(-D^2/4s^2)),
    time from D0 to D1:  q^(3/2)/(2 A sqrt(2 pi) s w) [Ei(D0^2/2q) - Ei(D1^2/2q)],

Ei the exponential integral. The pull is strongest at D = sqrt q and gone beyond a few widths: the *reach*, the largest
distance from which the target is attained in time t, grows like sqrt(2 q ln t). There is no barrier to escape from,
only a plateau.

**Many sliding bumps.** m bumps start independently and uniformly on [-l, l]; one within reach is enough (their pulls
are treated as independent, exact while bumps do not overlap). P(success by time t) = 1 - (1 - share of starts within
reach(t))^m: the law of m independent tickets, and at the same time the law of the waiting time.

**Coverage.** m bumps with fixed centres on a lattice of spacing h and trainable heights, all 0 at first. The problem is
linear. In Fourier space each crystal momentum k carries a single decaying mode with rate (1/h) sum_j |b(k + 2 pi
j/h)|^2, b the transform of one bump; integrating over k is exact (:func:`coverage_loss`). For h <= s, equal widths,
to a relative error of order exp(-2 pi^2 s^2/h^2)... at times that do not resolve the lattice,

    L(t)/L(0) = pi^(-1/2) int e^(-y^2) exp(-a e^(-y^2)) dy ~ 1/(a sqrt(pi ln a)),   a = 4 pi s^2 t/h:

no distance enters. Covering takes one time for every target; sliding takes exp(D^2/2q).
"""

import numpy as np

from lab.arrays import floats
from lab.errors import ArgumentError
from lab.names import renamed


def _positive(**values):
    for name, value in values.items():
        if not np.all(floats(value, "value") > 0) or not np.all(np.isfinite(value)):
            raise ArgumentError(f"{name} must be positive and finite, got {value}")


def _nonnegative(name, value):
    value = floats(value, "value")
    if not np.all(value >= 0):
        raise ArgumentError(f"{name} must be >= 0")
    return value


def _out(value):
    return float(value) if np.ndim(value) == 0 else value


def _scales(bump_width, target_width, height):
    target_width = bump_width if target_width is None else target_width
    _positive(bump_width=bump_width, target_width=target_width, height=height)
    q = bump_width**2 + target_width**2
    return q, height * np.sqrt(2 * np.pi) * bump_width * target_width / np.sqrt(q)


@renamed(width="bump_width")
def sliding_loss(distance, bump_width: float = 1.0, target_width: float | None = None, height: float = 1.0):
    """Half the squared error of one bump at a distance from the target's centre (inputs uniform with density 1).

    Parameters
    ----------
    distance : any array. bump_width : s of the model. target_width : w (default s). height : A of the target.

    Raises
    ------
    InputError
        A width or height that is not positive.

    Source: derived here (``bumps-sliding``).
    """
    q, overlap = _scales(bump_width, target_width, height)
    target_width = bump_width if target_width is None else target_width
    own = np.sqrt(np.pi) * (bump_width + height**2 * target_width) / 2
    return _out(own - overlap * np.exp(-floats(distance, "distance") ** 2 / (2 * q)))


@renamed(width="bump_width")
def pull(distance, bump_width: float = 1.0, target_width: float | None = None, height: float = 1.0):
    """-dD/dt of a sliding bump: its speed towards the target (negative distances give negative pulls).

    Arguments, errors: as :func:`sliding_loss`. Source: derived here (``bumps-sliding``).
    """
    q, overlap = _scales(bump_width, target_width, height)
    distance = floats(distance, "distance")
    return _out(overlap / q * distance * np.exp(-(distance**2) / (2 * q)))


@renamed(width="bump_width")
def sliding_time(start, end, bump_width: float = 1.0, target_width: float | None = None, height: float = 1.0):
    """Time in which the distance falls from ``start`` to ``end``.

    Parameters
    ----------
    start, end : distances, start >= end > 0; they broadcast. Others: as :func:`sliding_loss`.

    Returns
    -------
    Time >= 0 (inf where it exceeds the largest double).

    Raises
    ------
    InputError
        end not positive, or larger than start.

    Source: derived here (``bumps-sliding``).
    """
    from scipy.special import expi

    start, end = floats(start, "start"), floats(end, "end")
    _positive(end=end)
    if not np.all(start >= end):
        raise ArgumentError("a bump slides from a larger to a smaller distance: start >= end is needed")
    q, overlap = _scales(bump_width, target_width, height)
    return _out(q / (2 * overlap) * (expi(start**2 / (2 * q)) - expi(end**2 / (2 * q))))


@renamed(width="bump_width")
def reach(time, end, bump_width: float = 1.0, target_width: float | None = None, height: float = 1.0):
    """Largest starting distance from which the distance ``end`` is attained within ``time``.

    Parameters
    ----------
    time : >= 0, any array. end : > 0. Others: as :func:`sliding_loss`.

    Returns
    -------
    Distance >= end, same shape as time; beyond sqrt(1400 q) it is cut (the time then exceeds 1e300).

    Raises
    ------
    InputError
        Negative time, end not positive.

    Source: derived here, by inverting :func:`sliding_time`.
    """
    time = _nonnegative("time", time)
    _positive(end=end)
    q, _ = _scales(bump_width, target_width, height)
    low, high = np.full(time.shape, float(end)), np.full(time.shape, max(np.sqrt(1400.0 * q), float(end)))
    for _ in range(100):
        middle = 0.5 * (low + high)
        soon = sliding_time(middle, end, bump_width, target_width, height) <= time
        low, high = np.where(soon, middle, low), np.where(soon, high, middle)
    return _out(low)


def success_probability(bumps, within, half_line: float, target: float = 0.0):
    """P(at least one of m bumps, started uniformly on [-l, l], lies within a distance of the target).

    Parameters
    ----------
    bumps : m >= 0, array. within : distance >= 0, array (e.g. :func:`reach`). half_line : l > 0. target : its place.

    Returns
    -------
    1 - (1 - share)^m, broadcast.

    Raises
    ------
    InputError
        Negative bumps or distance, half_line not positive.

    Source: derived here (``bumps-success``).
    """
    bumps, within = _nonnegative("bumps", bumps), _nonnegative("within", within)
    _positive(half_line=half_line)
    inside = np.minimum(half_line, target + within) - np.maximum(-half_line, target - within)
    share = np.clip(inside, 0.0, None) / (2 * half_line)
    with np.errstate(divide="ignore", invalid="ignore"):
        missed = np.where(bumps > 0, bumps * np.log1p(-np.minimum(share, 1.0)), 0.0)
    return _out(-np.expm1(missed))


def bumps_needed(probability, within, half_line: float, target: float = 0.0):
    """Smallest number of bumps with P(success) >= probability.

    Parameters
    ----------
    probability : in [0, 1). Others: as :func:`success_probability`.

    Returns
    -------
    float array of whole numbers; inf where no start is within reach.

    Raises
    ------
    InputError
        As :func:`success_probability`; probability outside [0, 1).
    """
    probability = floats(probability, "probability")
    if not np.all((probability >= 0) & (probability < 1)):
        raise ArgumentError("the wanted probability must lie in [0, 1)")
    share = np.asarray(success_probability(1, within, half_line, target))
    with np.errstate(divide="ignore", invalid="ignore"):
        m = np.ceil(np.log1p(-probability) / np.log1p(-share) * (1 - 1e-14))
    return _out(np.where(probability == 0, 0.0, np.where(share == 0, np.inf, np.maximum(m, 1.0))))


@renamed(width="bump_width")
def arrival_probability(time, bumps, half_line: float, end: float, target: float = 0.0, bump_width: float = 1.0,
                        target_width: float | None = None, height: float = 1.0):
    """P(some bump is within ``end`` of the target by ``time``): the distribution of the time to converge.

    Arguments, errors: as :func:`reach` and :func:`success_probability`. Source: derived here (``bumps-success``).
    """
    return success_probability(bumps, reach(time, end, bump_width, target_width, height), half_line, target)


@renamed(width="bump_width")
def coverage_loss(time, spacing: float, bump_width: float = 1.0, offset: float = 0.0):
    """Loss of a lattice of fixed bumps with trained heights (0 at first), relative to its start.

    Parameters
    ----------
    time : >= 0, any array. spacing : h of the lattice. bump_width : s of bumps and target. offset : of the target from the
        nearest lattice point.

    Returns
    -------
    L(t)/L(0) in (0, 1], same shape; tends to the floor that the lattice cannot represent.

    Raises
    ------
    InputError
        Negative time, spacing or bump_width not positive.

    Source: derived here (``bumps-coverage``); exact for an infinite lattice.
    """
    time = _nonnegative("time", time)
    _positive(spacing=spacing, bump_width=bump_width)
    # trapezoidal rule over one period of the crystal momentum: exponentially accurate
    cells = 400
    k = (np.arange(cells) + 0.5) / cells * 2 * np.pi / spacing - np.pi / spacing
    alias = np.arange(-int(np.ceil(spacing / bump_width * 2)) - 2, int(np.ceil(spacing / bump_width * 2)) + 3)
    omega = k[:, None] + 2 * np.pi / spacing * alias
    power = 2 * np.pi * bump_width**2 * np.exp(-((bump_width * omega) ** 2))  # |b(omega)|^2
    total = power.sum(1)
    seen = np.abs((power * np.exp(-1j * omega * offset)).sum(1)) ** 2 / np.maximum(total, 1e-300)
    rate = total / spacing
    unseen = np.maximum(total - seen, 0.0).sum()
    return _out((unseen + (seen * np.exp(-2 * rate * time[..., None])).sum(-1)) / total.sum())


@renamed(width="bump_width")
def coverage_loss_dense(time, spacing: float, bump_width: float = 1.0):
    """The dense limit of :func:`coverage_loss`, h << s: pi^(-1/2) int e^(-y^2) exp(-a e^(-y^2)) dy, a = 4 pi s^2 t/h.

    Arguments, errors: as :func:`coverage_loss`. Source: derived here (``bumps-coverage``).
    """
    time = _nonnegative("time", time)
    _positive(spacing=spacing, bump_width=bump_width)
    y = (np.arange(600) + 0.5) * (13.0 / 600) - 6.5
    a = 4 * np.pi * bump_width**2 * time[..., None] / spacing
    v = np.exp(-y * y)
    return _out((v * np.exp(-a * v)).sum(-1) * (13.0 / 600) / np.sqrt(np.pi))


@renamed(width="bump_width")
def coverage_time(level: float, spacing: float, bump_width: float = 1.0, offset: float = 0.0) -> float:
    """Time at which :func:`coverage_loss` has fallen to ``level``; inf if the lattice's floor lies above it.

    Raises
    ------
    InputError
        level outside (0, 1); others as :func:`coverage_loss`.
    """
    from scipy.optimize import brentq

    if not 0 < level < 1:
        raise ArgumentError(f"the level must lie in (0, 1), got {level}")
    scale = spacing / bump_width**2

    def excess(log_time):
        return np.log(max(coverage_loss(scale * np.exp(log_time), spacing, bump_width, offset), 1e-300) / level)

    if excess(60.0) > 0:
        return float("inf")
    return float(scale * np.exp(brentq(excess, -60.0, 60.0, xtol=1e-12)))
