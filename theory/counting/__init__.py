"""Numbers of affine subspaces of critical points and of global minima of a wide layer.

Setting (Simsek et al. 2021): a two-layer network with a smooth generic activation. An irreducible critical point of r
hidden neurons (no two equal, none idle) reappears in a network of m >= r neurons in many ways:

* *critical subspaces*: each of the m neurons copies one of the r, and each of the r is copied at least once; the copies
  split its output weight. There is one affine subspace for each surjection of m neurons onto r,

      G(r, m) = r! S(m, r) = sum_i (-1)^(r-i) C(r, i) i^m,            sum_m G(r, m) x^m/m! = (e^x - 1)^r;

* *global-minimum subspaces* (r = r*, the width at which the loss is zero): in addition, u of the neurons may form groups
  that cancel (equal input weights, output weights that sum to 0), any number of unlabelled groups:

      T(r, m) = G(r, m) + sum_{u=1}^{m-r} C(m, u) G(r, m-u) Bell(u),     EGF (e^x - 1)^r exp(e^x - 1),

  which is also T(r, m) = sum_b S(m, b) b!/(b-r)!: partition the m neurons into b groups, and label r of them.

Both count subspaces, not their dimension nor the volume of the basins around them, so a count that favours global minima
does not imply anything about where training ends.

Asymptotics (derived here, ``python -m theory derive counting-asymptotics``): for fixed h = m - r and r -> oo,
G(r, r+h) ~ (r+h)! (r/2)^h/h! ~ T(r, r+h), so G(r-l, r+h)/T(r, r+h) -> (r/2)^l h!/(h+l)! (slow: corrections O(1/r)).
For fixed r and m -> oo, G ~ r^m. In between, the saddle point of the generating function (:func:`log_asymptotic`).

Several hidden layers (derived here; the same counting in each layer): the global subspaces multiply,
prod_l T(r_l*, m_l); the critical ones are all choices of r_l <= r_l* with at least one smaller,
prod_l sum_{r<=r_l*} G(r, m_l) - prod_l G(r_l*, m_l). A narrower layer has one irreducible critical point, or, "with
multiplicities", C(r_l*, r) of them, one for each subset of the teacher's neurons.

Source: Simsek, Ged, Jacot, Spadaro, Hongler, Gerstner, Brea, ICML 2021 (arXiv 2105.12221), propositions 3.4 and 4.2.
"""

import functools
import math
from collections.abc import Sequence

from lab.checks import whole_number
from lab.errors import ArgumentError
from lab.estimate import exact
from theory.claims import Evidence

__all__ = ["critical_subspaces", "crossing_width", "evidence", "layered_minima", "layered_saddles", "log_asymptotic",
           "minima_subspaces", "saddle_subspaces"]


@functools.lru_cache(maxsize=16)
def _stirling_row(m: int) -> tuple[int, ...]:
    """S(m, 0) ... S(m, m), numbers of partitions of m things into b groups, by S(m, b) = b S(m-1, b) + S(m-1, b-1)."""
    row = [1]
    for _ in range(m):
        row = [0, *(b * row[b] + row[b - 1] for b in range(1, len(row))), 1]
    return tuple(row)


def critical_subspaces(r: int, m: int) -> int:
    """G(r, m): critical subspaces of a width-m network that copy one irreducible critical point of r neurons.

    Source: Simsek et al. 2021, proposition 3.4; derived in ``counting-critical``.

    Parameters
    ----------
    r : int
        Neurons of the irreducible point, at least 0.
    m : int
        Width, at least 0.

    Returns
    -------
    int
        Exact; 0 for m < r.

    Raises
    ------
    InputError
        If ``r`` or ``m`` is not a whole number of at least 0.

    Examples
    --------
    >>> critical_subspaces(2, 4)
    14
    """
    r, m = whole_number("r", r, 0), whole_number("m", m, 0)
    return math.factorial(r) * _stirling_row(m)[r] if r <= m else 0


def minima_subspaces(r: int, m: int) -> int:
    """T(r, m): global-minimum subspaces of a width-m network whose loss first vanishes at r neurons.

    Source: Simsek et al. 2021, proposition 4.2; the form used is derived in ``counting-minima``.

    Parameters
    ----------
    r : int
        Width r* at which the loss is first zero, at least 0.
    m : int
        Width, at least 0.

    Returns
    -------
    int
        Exact; 0 for m < r.

    Raises
    ------
    InputError
        If ``r`` or ``m`` is not a whole number of at least 0.

    Examples
    --------
    >>> minima_subspaces(2, 4)
    62
    """
    r, m = whole_number("r", r, 0), whole_number("m", m, 0)
    row = _stirling_row(m)
    total, falling = 0, math.factorial(r)  # falling = b!/(b - r)!
    for b in range(r, m + 1):
        total += row[b] * falling
        falling = falling * (b + 1) // (b + 1 - r)
    return total


def saddle_subspaces(r_star: int, m: int, multiplicity: bool = False) -> int:
    """sum_{1 <= r < r*} G(r, m): all critical subspaces that are not minima.

    Source: Simsek et al. 2021, section 4.2; the weights are the statement "one critical point for each subset of the
    teacher's neurons".

    Parameters
    ----------
    r_star : int
        Width r* at which the loss is first zero, at least 1.
    m : int
        Width, at least 0.
    multiplicity : bool, default False
        Whether to weight G(r, m) with C(r*, r), one critical point for each subset of the teacher's neurons, instead of 1.

    Returns
    -------
    int
        Exact.

    Raises
    ------
    InputError
        If ``r_star`` or ``m`` is out of range or not a whole number.

    Examples
    --------
    >>> saddle_subspaces(3, 5), saddle_subspaces(3, 5, multiplicity=True)
    (31, 93)
    """
    r_star, m = whole_number("r_star", r_star, 1), whole_number("m", m, 0)
    return sum((math.comb(r_star, r) if multiplicity else 1) * critical_subspaces(r, m) for r in range(1, r_star))


def crossing_width(r_star: int, multiplicity: bool = False, limit: int | None = None) -> int:
    """Smallest m >= r* at which T(r*, m) exceeds the number of critical subspaces.

    The inequality also holds for larger m (checked up to the limit in tests, not proved). Source: Simsek et al. 2021, section
    4.2, evaluated here in exact integers.

    Parameters
    ----------
    r_star : int
        Width r* at which the loss is first zero, at least 1.
    multiplicity : bool, default False
        Weights of the critical subspaces, as in :func:`saddle_subspaces`.
    limit : int, optional
        Largest m tried, at least r*; 10 r* + 20 by default.

    Returns
    -------
    int
        The width.

    Raises
    ------
    InputError
        If an argument is out of range, or no width up to the limit satisfies the inequality.

    Examples
    --------
    >>> crossing_width(5), crossing_width(5, multiplicity=True)
    (6, 8)
    """
    r_star = whole_number("r_star", r_star, 1)
    limit = 10 * r_star + 20 if limit is None else whole_number("limit", limit, r_star)
    row = list(_stirling_row(r_star))
    factorials = [math.factorial(b) for b in range(limit + 1)]
    weights = [math.comb(r_star, r) if multiplicity else 1 for r in range(r_star)]
    for m in range(r_star, limit + 1):
        saddles = sum(weights[r] * factorials[r] * row[r] for r in range(1, r_star))
        minima = sum(row[b] * factorials[b] // factorials[b - r_star] for b in range(r_star, m + 1))
        if minima > saddles:
            return m
        row = [0, *(b * row[b] + row[b - 1] for b in range(1, len(row))), 1]
    raise ArgumentError(f"critical subspaces outnumber the global ones up to width {limit}; raise the limit")


def layered_minima(r_stars: Sequence[int], widths: Sequence[int]) -> int:
    """Global-minimum subspaces of a deep network: prod_l T(r_l*, m_l).

    Source: derived here (module docstring).

    Parameters
    ----------
    r_stars : sequence of int
        Needed width of each hidden layer, at least 0.
    widths : sequence of int
        Actual width of each hidden layer, at least 0; as many as ``r_stars``.

    Returns
    -------
    int
        Exact.

    Raises
    ------
    InputError
        If the lengths differ or are 0, or a width is not a whole number of at least 0.

    Examples
    --------
    >>> layered_minima([1, 2], [2, 3])
    36
    """
    _same_length(r_stars, widths)
    return math.prod(minima_subspaces(r, m) for r, m in zip(r_stars, widths))


def layered_saddles(r_stars: Sequence[int], widths: Sequence[int], multiplicity: bool = False) -> int:
    """Critical subspaces of a deep network with at least one layer narrower than needed.

    Source: derived here (module docstring).

    Parameters
    ----------
    r_stars : sequence of int
        Needed width of each hidden layer, at least 1.
    widths : sequence of int
        Actual width of each hidden layer, at least 0; as many as ``r_stars``.
    multiplicity : bool, default False
        Weights in each layer, as in :func:`saddle_subspaces`.

    Returns
    -------
    int
        Exact.

    Raises
    ------
    InputError
        If the lengths differ or are 0, or a width is out of range or not a whole number.

    Examples
    --------
    >>> layered_saddles([2, 2], [3, 3]), layered_saddles([2, 2], [3, 3], multiplicity=True)
    (13, 28)
    """
    _same_length(r_stars, widths)
    full = [critical_subspaces(r, m) for r, m in zip(r_stars, widths)]
    any_width = [saddle_subspaces(r, m, multiplicity) + g for r, m, g in zip(r_stars, widths, full)]
    return math.prod(any_width) - math.prod(full)


def _same_length(r_stars: Sequence[int], widths: Sequence[int]) -> None:
    if len(r_stars) != len(widths) or not r_stars:
        raise ArgumentError(f"needed and actual widths must be lists of the same length, got {len(r_stars)} and {len(widths)}")


def log_asymptotic(r: int, m: int, minima: bool = False) -> float:
    """ln G(r, m) (or ln T) from the saddle point of its generating function; relative error of G or T is O(1/m).

    With K(x) = r ln(e^x - 1) [+ e^x - 1] the coefficient is m!/(2 pi i) oint e^K x^(-m-1) dx ~
    m! e^K(x0) x0^-m / sqrt(2 pi (x0^2 K'' + m)), x0 K'(x0) = m. Source: Moser & Wyman 1958 for Stirling numbers; derived here
    in this form.

    Parameters
    ----------
    r : int
        Neurons of the irreducible point, at least 1 (0 for ``minima``).
    m : int
        Width, above r (for ``minima`` also r itself), at least 1.
    minima : bool, default False
        Whether to compute T instead of G.

    Returns
    -------
    float
        Natural logarithm.

    Raises
    ------
    InputError
        Outside that range; at m = r the saddle of G is at 0, and G = m! exactly.

    Examples
    --------
    >>> import math
    >>> round(log_asymptotic(50, 200), 2), round(math.log(critical_subspaces(50, 200)), 2)
    (781.48, 781.48)
    """
    r, m = whole_number("r", r, 0 if minima else 1), whole_number("m", m, 1)
    if m < r or (m == r and not minima):
        raise ArgumentError(f"the saddle point needs r < m, got r = {r}, m = {m}")
    if m == r:
        return math.lgamma(m + 1)
    from scipy.optimize import brentq

    # r x e^x/(e^x - 1) [+ x e^x] = m; the left side grows from r (+ 0) without bound
    def excess(x):
        return r * x / -math.expm1(-x) + (x * math.exp(x) if minima else 0.0) - m

    high = m / max(r, 1) + 1.0 if r else math.log(m) + 1.0
    x = brentq(excess, 1e-300, high, xtol=1e-14, rtol=1e-15)
    e = math.exp(x)
    k = r * math.log(math.expm1(x)) + ((e - 1) if minima else 0.0)
    curvature = -r * e / math.expm1(x) ** 2 + (e if minima else 0.0)
    return math.lgamma(m + 1) + k - m * math.log(x) - 0.5 * math.log(2 * math.pi * (x * x * curvature + m))


def evidence(r_stars: Sequence[int] = (5, 20, 100)) -> list[Evidence]:
    """Theory's evidence for ``s2.minima-outnumber-saddles``: crossing width over r*, with and without multiplicities.

    Source: :func:`crossing_width`.

    Parameters
    ----------
    r_stars : sequence of int, default (5, 20, 100)
        Widths r* at which the loss is first zero, each at least 1.

    Returns
    -------
    list of theory.claims.Evidence
        One for each r*, without multiplicities, then one for each with them.

    Examples
    --------
    >>> [round(row.estimate.mean, 2) for row in evidence([5])]
    [1.2, 1.6]
    """
    return [Evidence("s2.minima-outnumber-saddles", "theory",
                     f"r* = {r}, {'C(r*, r) critical points' if many else 'one critical point'} of each smaller width",
                     exact(crossing_width(r, many) / r), piece=f"r{r}-{'many' if many else 'one'}", study="counting",
                     levels={"critical points of smaller widths": "C(r*, r)" if many else "one"})
            for many in (False, True) for r in r_stars]
