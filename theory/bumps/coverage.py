"""Many fixed bumps whose heights are trained; the results are stated in :mod:`theory.bumps`."""

import numpy as np
import numpy.typing as npt

from lab.errors import ArgumentError
from lab.names import renamed
from theory.bumps.arguments import nonnegative, out, positive


@renamed(width="bump_width")
def coverage_loss(time: npt.ArrayLike, spacing: float, bump_width: float = 1.0, offset: float = 0.0) -> np.ndarray | float:
    """Loss of a lattice of fixed bumps with trained heights (0 initially), relative to its initial value.

    Exact for an infinite lattice. Source: derived here (``bumps-coverage``).

    Parameters
    ----------
    time : array_like
        Time of gradient flow, at least 0.
    spacing : float
        Spacing h > 0 of the lattice.
    bump_width : float, default 1
        Width s > 0 of bumps and target.
    offset : float, default 0
        Distance of the target from the nearest lattice point.

    Returns
    -------
    float or ndarray
        L(t)/L(0) in (0, 1], of the shape of ``time``; tends to the floor that the lattice cannot represent.

    Raises
    ------
    InputError
        If a time is negative, or ``spacing`` or ``bump_width`` is not positive and finite.

    Examples
    --------
    >>> coverage_loss([0.0, 1.0, 10.0], 1.0).round(4)
    array([1.    , 0.0271, 0.002 ])
    """
    time = nonnegative("time", time)
    positive(spacing=spacing, bump_width=bump_width)
    # trapezoidal rule over one period of the crystal momentum, which converges exponentially
    cells = 400
    k = (np.arange(cells) + 0.5) / cells * 2 * np.pi / spacing - np.pi / spacing
    alias = np.arange(-int(np.ceil(spacing / bump_width * 2)) - 2, int(np.ceil(spacing / bump_width * 2)) + 3)
    omega = k[:, None] + 2 * np.pi / spacing * alias
    power = 2 * np.pi * bump_width**2 * np.exp(-((bump_width * omega) ** 2))  # |b(omega)|^2
    total = power.sum(1)
    seen = np.abs((power * np.exp(-1j * omega * offset)).sum(1)) ** 2 / np.maximum(total, 1e-300)
    rate = total / spacing
    unseen = np.maximum(total - seen, 0.0).sum()
    return out((unseen + (seen * np.exp(-2 * rate * time[..., None])).sum(-1)) / total.sum())


@renamed(width="bump_width")
def coverage_loss_dense(time: npt.ArrayLike, spacing: float, bump_width: float = 1.0) -> np.ndarray | float:
    """The dense limit of :func:`coverage_loss`, h << s: pi^(-1/2) int e^(-y^2) exp(-a e^(-y^2)) dy, a = 4 pi s^2 t/h.

    Source: derived here (``bumps-coverage``).

    Parameters
    ----------
    time : array_like
        Time of gradient flow, at least 0.
    spacing : float
        Spacing h > 0 of the lattice.
    bump_width : float, default 1
        Width s > 0 of bumps and target.

    Returns
    -------
    float or ndarray
        L(t)/L(0) in (0, 1], of the shape of ``time``.

    Raises
    ------
    InputError
        If a time is negative, or ``spacing`` or ``bump_width`` is not positive and finite.

    Examples
    --------
    >>> round(coverage_loss_dense(1.0, 0.5), 6), round(coverage_loss(1.0, 0.5), 6)
    (0.011981, 0.011981)
    """
    time = nonnegative("time", time)
    positive(spacing=spacing, bump_width=bump_width)
    y = (np.arange(600) + 0.5) * (13.0 / 600) - 6.5
    a = 4 * np.pi * bump_width**2 * time[..., None] / spacing
    v = np.exp(-y * y)
    return out((v * np.exp(-a * v)).sum(-1) * (13.0 / 600) / np.sqrt(np.pi))


@renamed(width="bump_width")
def coverage_time(level: float, spacing: float, bump_width: float = 1.0, offset: float = 0.0) -> float:
    """Time at which :func:`coverage_loss` has fallen to ``level``.

    Source: derived here, by inverting :func:`coverage_loss`.

    Parameters
    ----------
    level : float
        L(t)/L(0), in (0, 1).
    spacing : float
        Spacing h > 0 of the lattice.
    bump_width : float, default 1
        Width s > 0 of bumps and target.
    offset : float, default 0
        Distance of the target from the nearest lattice point.

    Returns
    -------
    float
        Time of gradient flow; inf if the lattice's floor lies above ``level``.

    Raises
    ------
    InputError
        If ``level`` lies outside (0, 1), or ``spacing`` or ``bump_width`` is not positive and finite.

    Examples
    --------
    >>> round(coverage_time(0.1, 1.0), 4), coverage_time(1e-9, 2.5, offset=1.0)
    (0.3675, inf)
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
