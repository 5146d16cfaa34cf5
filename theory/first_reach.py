r"""First reach: the features that are decided by the initial weights of a network's neurons. (Derived here.)

A reconstruction of the toy model of S0 as its public reviews describe it (an MLP on one specific data distribution, in which
thin networks fail because of the initialisation of their few neurons); the text of S0's own toy model is not available to us.

Setting. Feature m is a cluster of data at the unit vector e_m of R^d (m = 1 … M, orthonormal), with the target
A_m > 0, its strength. A network of width K with unit weight vectors w_j, output weights v_j and threshold b computes
    f(e_m) = Σ_j v_j relu(u_jm − b),   u_jm = w_j·e_m,   L = ½ Σ_m r_m²,  r_m = A_m − f(e_m),
and both layers follow the gradient flow, w_j on the unit sphere:
    u̇_j = g_j − u_j (u_j·g_j),  g_jm = r_m v_j 1[u_jm > b],   v̇_j = Σ_m r_m relu(u_jm − b).
The starts are w_j uniform on the sphere, v_j = v₀ > 0. A neuron *reaches* feature m while u_jm > b; only then does feature m
contribute to its gradient.

Pure reach. If b ≥ 1/√2, a neuron reaches at most one feature, and never leaves it: feature m is learnt if and only if some
neuron starts within its reach. One start succeeds with probability
    p = P(u > b) = ½ I_{1−b²}((d−1)/2, ½),
so a network of width K misses a feature with probability (1−p)^K, and N concatenated networks miss it with (1−p)^{NK}, exactly
like one wide network of width NK. Starts alone give concatenation no disadvantage.

Capture. If b < 1/√2, a neuron can start within reach of a strong and a weak feature, be drawn to the strong one and leave
the reach of the weak one before that has grown. In the limit of a vanishing weak strength, the strong feature's phase is
solved in s = ∫ r₁ dt, which all neurons share:
    du/ds = v (1 − u²),  dv/ds = u − b,   ½ v² + ½ ln(1 − u²) + b artanh u  is conserved,
until Σ_j v_j (u_j − b)₊ = A₁ (r₁ = 0); all other coordinates of w_j shrink by √((1−u²)/(1−u₀²)). If many neurons share the
work, they stop early and keep the weak feature within reach; a single one continues until it has lost it. This is how
concatenated narrow networks with the same number of starts miss features that a wide network learns.
"""

import math

import numpy as np
import numpy.typing as npt

from lab import checks
from lab.arrays import floats
from lab.names import renamed
from theory.derivation import Prediction, derivation

__all__ = ["end_of_capture", "miss_probability", "reach_probability", "single_keep_probability", "weak_miss_probability"]

DRAWS = 20_000  # Monte Carlo draws for networks of several neurons


def _check(dim: int, threshold: float) -> None:
    checks.whole_number("dim", dim, 3)
    checks.real_number("threshold", threshold, least=0, below=1)


def reach_probability(dim: int, threshold: npt.ArrayLike) -> np.ndarray | float:
    """Probability p that a start, uniform on the sphere in R^dim, lies within reach of a given feature.

    Source: derived here (``first-reach-probability``).

    Parameters
    ----------
    dim : int
        d, at least 2.
    threshold : array_like
        b in [0, 1]; larger values are never reached.

    Returns
    -------
    float or ndarray
        ½ I_{1−b²}((d−1)/2, ½), of the shape of ``threshold``.

    Examples
    --------
    >>> round(float(reach_probability(3, 0.5)), 12)
    0.25
    """
    from scipy.special import betainc

    b = np.clip(floats(threshold, "threshold"), 0.0, 1.0)
    return (0.5 * betainc((dim - 1) / 2, 0.5, 1.0 - b * b))[()]


def miss_probability(starts: npt.ArrayLike, dim: int, threshold: float) -> np.ndarray | float:
    """Pure reach: probability (1−p)^starts that none of the starts reaches a feature (module docstring).

    Parameters
    ----------
    starts : array_like of int
        K for one network, N·K for N concatenated ones, between which the formula does not distinguish.
    dim : int
        d, at least 3.
    threshold : float
        b in [0, 1).

    Returns
    -------
    float or ndarray
        Of the shape of ``starts``.

    Raises
    ------
    InputError
        If ``dim`` or ``threshold`` is out of range.

    Examples
    --------
    >>> round(float(miss_probability(2, 3, 0.5)), 12)
    0.5625
    """
    _check(dim, threshold)
    return np.exp(np.asarray(starts) * np.log1p(-reach_probability(dim, threshold)))[()]


@renamed(output_start="init_readout")
def end_of_capture(start: npt.ArrayLike, threshold: float, strength: float, init_readout: float) -> np.ndarray:
    """Final strong coordinate u of a single neuron, from the conserved quantity and v (u − b) = A₁ (module docstring).

    Parameters
    ----------
    start : array_like
        u₀ in (b, 1), any shape.
    threshold : float
        b in [0, 1).
    strength : float
        A₁ > 0, strength of the strong feature.
    init_readout : float
        v₀ > 0, output weight at the start.

    Returns
    -------
    ndarray
        u* in [u₀, 1), of the shape of ``start``.

    Examples
    --------
    >>> end_of_capture([0.5, 0.9], 0.3, 1.0, 0.1).round(3)
    array([0.986, 0.995])
    """
    b, u0 = threshold, floats(start, "start")

    def potential(u):
        return -0.5 * np.log1p(-u * u) - b * np.arctanh(u)

    low, high = u0.copy(), np.ones_like(u0)
    for _ in range(80):  # v(u)(u − b) increases with u: bisection to the last digit
        u = 0.5 * (low + high)
        with np.errstate(divide="ignore", invalid="ignore"):  # where u rounds to 1, the end is 1
            v = np.sqrt(init_readout**2 + 2.0 * (potential(u) - potential(u0)))
        below = v * (u - b) < strength
        low, high = np.where(below, u, low), np.where(below, high, u)
    return 0.5 * (low + high)


def _kept(u0, u_end, dim, threshold):
    """P(the weak coordinate starts within reach and is still within it when the strong phase ends | u₀, u_end)."""
    room0 = np.sqrt(1.0 - u0**2)
    needed = np.maximum(1.0, room0 / np.sqrt(np.maximum(1.0 - u_end**2, 1e-300))) * threshold
    return reach_probability(dim - 1, np.minimum(needed / room0, 1.0))


@renamed(output_start="init_readout")
def single_keep_probability(dim: int, threshold: float, strength: float, init_readout: float, nodes: int = 400) -> float:
    """Capture, K = 1: probability that a single neuron starts within reach of a vanishing feature and keeps it.

    One integral over the strong coordinate u₀ of the start, with density ∝ (1−u²)^{(d−3)/2}, by Gauss–Legendre quadrature in
    the angle on each side of the threshold. Source: derived here (``first-reach-capture``).

    Parameters
    ----------
    dim : int
        d, at least 3.
    threshold : float
        b in [0, 1).
    strength : float
        A₁ > 0, strength of the strong feature.
    init_readout : float
        v₀ > 0, output weight at the start.
    nodes : int, default 400
        Nodes of the quadrature on each side.

    Returns
    -------
    float
        The probability.

    Raises
    ------
    InputError
        If an argument is out of its range.

    Examples
    --------
    >>> round(single_keep_probability(5, 0.3, 1.0, 0.1, nodes=40), 2)
    0.21
    """
    _check(dim, threshold)
    checks.real_number("strength", strength, above=0)
    checks.real_number("init_readout", init_readout, above=0)
    x, weight = np.polynomial.legendre.leggauss(nodes)
    edge = math.acos(threshold)
    total = 0.0
    for low, high in ((0.0, edge), (edge, math.pi)):
        angle = 0.5 * (high - low) * x + 0.5 * (high + low)
        u0 = np.cos(angle)
        # the potential is infinite at u = 1, which is never a node
        end = end_of_capture(u0, threshold, strength, init_readout) if low == 0.0 else u0
        total += 0.5 * (high - low) * np.sum(weight * np.sin(angle) ** (dim - 2) * _kept(u0, end, dim, threshold))
    norm = math.sqrt(math.pi) * math.exp(math.lgamma((dim - 1) / 2) - math.lgamma(dim / 2))
    return float(total / norm)


@renamed(output_start="init_readout")
def weak_miss_probability(width: int, dim: int, threshold: float, strength: float, init_readout: float,
                          rng: np.random.Generator, draws: int = DRAWS) -> tuple[float, float]:
    """Capture, any K: probability that a network of width K misses a vanishing feature, and its standard error.

    The strong coordinates of the K starts are drawn, the strong phase is solved for them in the shared time s, and the weak
    coordinates are integrated out exactly given the strong ones. Source: derived here (module docstring).

    Parameters
    ----------
    width : int
        K ≥ 1.
    dim : int
        d, at least 3.
    threshold : float
        b in [0, 1).
    strength : float
        A₁ > 0, strength of the strong feature.
    init_readout : float
        v₀ > 0, output weight at the start.
    rng : numpy.random.Generator
        Draws the starts.
    draws : int, default 20000
        Number of networks drawn.

    Returns
    -------
    mean : float
        The probability.
    standard_error : float
        Standard error of the mean over draws.

    Raises
    ------
    InputError
        If an argument is out of its range.

    Examples
    --------
    >>> mean, error = weak_miss_probability(1, 5, 0.3, 1.0, 2.0, np.random.default_rng(0), draws=50)
    >>> abs(mean + single_keep_probability(5, 0.3, 1.0, 2.0, nodes=40) - 1) < 5 * error
    True
    """
    _check(dim, threshold)
    checks.whole_number("width", width)
    checks.real_number("strength", strength, above=0)
    checks.real_number("init_readout", init_readout, above=0)
    g = rng.standard_normal((draws, width))
    others = rng.chisquare(dim - 1, (draws, width))  # squares of all other coordinates
    u0 = g / np.sqrt(g * g + others)
    u, v = u0.copy(), np.full_like(u0, init_readout)
    live = np.asarray(u0 > threshold)
    running = np.any(live, axis=1)  # networks in which some neuron reaches the strong feature
    step = 0.02  # of s; the error of Heun's method is far below that of the draws
    for _ in range(100_000):
        if not running.any():
            break
        here = np.flatnonzero(running)
        before = u[here], v[here]
        after = _heun(*before, live[here], threshold, step)
        part = np.ones(len(here))
        fit = np.sum(np.where(live[here], after[1] * (after[0] - threshold), 0.0), axis=1)
        over = fit >= strength
        if over.any():  # the end lies within this step: bisect its length
            pick = np.flatnonzero(over)
            low, high = np.zeros(len(pick)), np.ones(len(pick))
            for _ in range(40):
                middle = 0.5 * (low + high)
                end = _heun(before[0][pick], before[1][pick], live[here[pick]], threshold, step * middle[:, None])
                beyond = np.sum(np.where(live[here[pick]], end[1] * (end[0] - threshold), 0.0), axis=1) >= strength
                low, high = np.where(beyond, low, middle), np.where(beyond, middle, high)
            part[pick] = high
            after = _heun(*before, live[here], threshold, step * part[:, None])
        u[here], v[here] = after
        running[here[over]] = False
    miss = np.prod(1.0 - _kept(u0, np.where(live, u, u0), dim, threshold), axis=1)
    return float(miss.mean()), float(miss.std(ddof=1) / math.sqrt(draws))


def _heun(u, v, live, b, step):
    """One step of the shared-time flow du/ds = v (1−u²), dv/ds = u − b for the neurons within reach."""
    du, dv = v * (1 - u * u), u - b
    u1, v1 = u + step * du, v + step * dv
    u2 = np.minimum(u + 0.5 * step * (du + v1 * (1 - u1 * u1)), 1 - 1e-15)
    return np.where(live, u2, u), np.where(live, v + 0.5 * step * (dv + u1 - b), v)


@derivation("first-reach-probability", "The probability that a start uniform on the sphere reaches a feature.",
            "derived here", symbols={"b": "threshold", "d": "input dimension", "u": "cosine of start and feature"})
def derive_reach(d, dim=4):
    """The share of the sphere above height b, by integration for a given dimension."""
    import sympy as sp

    u, b = sp.symbols("u b", real=True)
    density = (1 - u**2) ** sp.Rational(dim - 3, 2)
    d.step(f"The height u of a uniform point on the sphere in R^{dim} has density proportional to (1-u^2)^((d-3)/2): the "
           "circle of latitude at u has radius sqrt(1-u^2) and dimension d-2.", density)
    norm = d.step("Its normalisation:", sp.integrate(density, (u, -1, 1)))
    area = sp.integrate(density, u)
    share = d.step("Integrate from b to 1.", sp.simplify((area.subs(u, 1) - area.subs(u, b)) / norm))
    return d.conclude(share)


@derivation("first-reach-capture", "While a strong feature is learnt, one combination of a neuron's two coordinates is "
            "conserved.", "derived here",
            symbols={"u": "the neuron's cosine with the strong feature", "v": "its output weight", "b": "threshold",
                     "s": "time weighted by the residual, shared by all neurons"})
def derive_capture(d):
    """Separate dv/du and integrate."""
    import sympy as sp

    u, v, b = sp.symbols("u v b", positive=True)
    du = d.step("du/dt = r v (1-u^2) and dv/dt = r (u-b); with ds = r dt the residual drops out: du/ds is", v * (1 - u**2))
    dv = d.step("and dv/ds is", u - b)
    d.step("Divide and separate: v dv =", sp.factor(dv / (du / v)))
    kinetic = sp.integrate(v, v)
    potential = sp.integrate(sp.apart(dv / (du / v), u), u)
    conserved = d.step("Integrate both sides; the difference is conserved.", kinetic - potential)
    rate = sp.simplify(sp.diff(conserved, u) * du + sp.diff(conserved, v) * dv)
    d.vanishes("Check: it does not change along the flow.", rate, "its derivative")
    return d.conclude(conserved)


DERIVATIONS = {"first-reach-probability": derive_reach, "first-reach-capture": derive_capture}


def check_reach(rng):
    """Share of random directions within reach, by Monte Carlo."""
    for dim, b in ((4, 0.71), (8, 0.3)):
        g = rng.standard_normal((400_000, dim))
        hit = g[:, 0] > b * np.linalg.norm(g, axis=1)
        p = float(reach_probability(dim, b))
        yield Prediction(f"first-reach: P(reach), d={dim}, b={b}", p, float(hit.mean()), math.sqrt(p * (1 - p) / len(g)))


def check_capture(rng):
    """The exact integral for K = 1 against the sampled solution of the strong phase."""
    exact = 1 - single_keep_probability(5, 0.3, 1.0, 0.1)
    mean, error = weak_miss_probability(1, 5, 0.3, 1.0, 0.1, rng)
    yield Prediction("first-reach: P(single neuron misses the weak feature)", exact, mean, error)


CHECKS = {"first-reach-probability": check_reach, "first-reach-capture": check_capture}
