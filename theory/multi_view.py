r"""Multi-view data: when wide networks ignore a feature. (Derived here, after Allen-Zhu & Li 2020, arXiv 2012.09816.)

One class has two views, with strengths μ₁ = 1 and μ₂ ≤ 1. Neuron r has coordinates a_r, b_r along the two views (its other
coordinates stay at their tiny initial values) and the activation σ(z) = z₊^q / q, q ≥ 3. All samples have both views:
    F = F₁ + F₂,  F₁ = Σ_r σ(μ₁ a_r),  F₂ = Σ_r σ(μ₂ b_r),   L = log(1 + e^{−F}),
trained by gradient flow from a_r, b_r ~ N(0, σ₀²) until L = ε. A view is *learnt* if it suffices by itself: F_i ≥ κ.

With τ = ∫ g dt, g = 1/(1 + e^F), every coordinate moves independently, da/dτ = μ^q a^{q−1}, so
    a(τ) = (a₀^{2−q} − (q−2) μ^q τ)^{−1/(q−2)},
which blows up at τ* = a₀^{2−q} / ((q−2) μ^q): the largest start of each view decides. Training ends at the τ at which
F = log(1/(e^ε − 1)). The second view is learnt as well only if it blows up at nearly the same τ.

Width acts through extremes. The largest of m Gaussian starts grows like √(2 ln m), and the *ratio* of two such maxima tends
to 1: equal views tie, and wide networks learn both. With μ₂ < 1 only the strengths break the tie, so wide networks almost
certainly ignore the second view, and narrow ones learn it by chance.
"""

import numpy as np
import numpy.typing as npt

from lab import checks
from lab.arrays import floats
from lab.names import renamed
from theory.derivation import Prediction, derivation, slow

__all__ = ["blow_up", "end_of_training", "final_output", "learn_probabilities", "output"]


def final_output(loss: float) -> float:
    """Output F at which the loss log(1 + e^{−F}) has a given value.

    Parameters
    ----------
    loss : float
        ε > 0.

    Returns
    -------
    float
        F = −ln(e^ε − 1).

    Examples
    --------
    >>> round(final_output(np.log(2)), 6) + 0.0
    0.0
    >>> round(final_output(0.01), 3)
    4.6
    """
    return float(-np.log(np.expm1(loss)))


def blow_up(start: npt.ArrayLike, strength: float, power: int) -> np.ndarray:
    """Time at which a coordinate diverges, τ* = a₀^{2−q} / ((q−2) μ^q) (module docstring).

    Parameters
    ----------
    start : array_like
        a₀, any shape.
    strength : float
        μ > 0, strength of the view.
    power : int
        q ≥ 3.

    Returns
    -------
    ndarray
        τ*, of the shape of ``start``; infinite for starts that are not positive.

    Examples
    --------
    >>> blow_up([0.5, -0.5], 1.0, 4)
    array([ 2., inf])
    """
    start = floats(start, "start")
    with np.errstate(divide="ignore"):
        time = np.maximum(start, 0.0) ** (2 - power) / ((power - 2) * strength**power)
    return np.where(start > 0, time, np.inf)


def output(start: npt.ArrayLike, tau: npt.ArrayLike, strength: float, power: int) -> np.ndarray:
    """Output σ(μ a(τ)) of one neuron for one view (module docstring).

    Parameters
    ----------
    start : array_like
        a₀; broadcasts with ``tau``.
    tau : array_like
        τ ≥ 0.
    strength : float
        μ > 0, strength of the view.
    power : int
        q ≥ 3.

    Returns
    -------
    ndarray
        Array of the common shape; infinite from the blow-up on, 0 for starts that are not positive.

    Examples
    --------
    >>> output(0.5, [0.0, 1.0, 2.0], 1.0, 4)
    array([0.015625, 0.0625  ,      inf])
    """
    start, tau = np.broadcast_arrays(floats(start, "start"), floats(tau, "tau"))
    with np.errstate(divide="ignore", invalid="ignore"):
        room = np.maximum(start, 0.0) ** (2 - power) - (power - 2) * strength**power * tau
        value = strength**power * np.where(room > 0, room, 0.0) ** (-power / (power - 2)) / power
    return np.where(start > 0, value, 0.0)


def end_of_training(first: npt.ArrayLike, second: npt.ArrayLike, strength: float, power: int,
                    target_loss: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Time τ at which the loss is reached, and the outputs F₁, F₂ of both views at that time.

    Parameters
    ----------
    first : array_like of shape (..., m)
        Starts a₀ of the m neurons along the first view, whose strength is 1.
    second : array_like of shape (..., m)
        Starts b₀ along the second view.
    strength : float
        μ₂, strength of the second view.
    power : int
        q ≥ 3.
    target_loss : float
        ε, in (0, ln 2).

    Returns
    -------
    tau : ndarray of shape (...)
        Infinite if no start is positive.
    one : ndarray of shape (...)
        F₁; 0 if no start is positive.
    two : ndarray of shape (...)
        F₂, likewise.

    Examples
    --------
    >>> tau, one, two = end_of_training([0.1, 0.2], [0.1, 0.1], 1.0, 4, 0.01)
    >>> [round(float(x), 3) for x in (tau, one, two)]
    [12.383, 4.6, 0.0]
    """
    first, second = floats(first, "first"), floats(second, "second")
    target = final_output(target_loss)
    high = np.minimum(blow_up(first, 1.0, power).min(axis=-1), blow_up(second, strength, power).min(axis=-1))
    alive = np.isfinite(high)
    high = np.where(alive, high, 1.0)
    # bisect the distance to the blow-up on a logarithmic scale, since F is a steep function of it
    near, far = np.full(high.shape, -60.0), np.zeros(high.shape)
    for _ in range(70):
        middle = 0.5 * (near + far)
        tau = -high * np.expm1(middle)
        total = (output(first, tau[..., None], 1.0, power).sum(-1)
                 + output(second, tau[..., None], strength, power).sum(-1))
        beyond = total >= target
        near, far = np.where(beyond, middle, near), np.where(beyond, far, middle)
    tau = -high * np.expm1(0.5 * (near + far))
    one, two = (np.where(alive, output(s, tau[..., None], mu, power).sum(-1), 0.0)
                for s, mu in ((first, 1.0), (second, strength)))
    return np.where(alive, tau, np.inf), one, two


@renamed(scale="init_scale", loss="target_loss")
def learn_probabilities(width: int, strength: float, init_scale: float, power: int = 4, target_loss: float = 0.01,
                        margin: float = 1.0, nodes: int = 300) -> dict[str, float]:
    """Probabilities that one network learns the first, the second, both or neither of the views.

    Only the leading neuron of each view counts. This is exact for width 1, where one neuron has one coordinate per view. For
    more neurons it neglects the contributions of the others, which help the view that is behind. Two-dimensional quadrature
    over the largest starts, whose distribution function is Φ(x/σ₀)^m. Source: derived here (module docstring), after
    Allen-Zhu & Li 2020.

    Parameters
    ----------
    width : int
        m ≥ 1, neurons.
    strength : float
        μ₂ > 0, strength of the second view.
    init_scale : float
        σ₀ > 0, standard deviation of the starts.
    power : int, default 4
        q, 3 to 100.
    target_loss : float, default 0.01
        ε, in (0, ln 2).
    margin : float, default 1.0
        κ > 0: a view is learnt if its output reaches it.
    nodes : int, default 300
        Nodes of the quadrature in each direction.

    Returns
    -------
    dict of str to float
        "first", "second" (regardless of the other view), "both" and "neither".

    Raises
    ------
    InputError
        If an argument is out of its range.

    Examples
    --------
    >>> p = learn_probabilities(64, 0.8, 0.1, nodes=40)
    >>> {name: round(value, 2) for name, value in p.items()}
    {'first': 0.95, 'second': 0.05, 'both': 0.01, 'neither': 0.0}
    """
    from scipy.special import ndtri

    checks.whole_number("width", width)
    checks.real_number("strength", strength, above=0)
    checks.real_number("init_scale", init_scale, above=0)
    checks.whole_number("power", power, 3, 100)
    checks.real_number("target_loss", target_loss, above=0, below=float(np.log(2)))
    checks.real_number("margin", margin, above=0)
    # midpoint rule over cells of equal probability of the maximum, P(max < x) = Φ(x/σ₀)^m
    level = (np.arange(nodes) + 0.5) / nodes
    largest = init_scale * ndtri(level ** (1.0 / width))
    _, one, two = end_of_training(largest[:, None, None], np.broadcast_to(largest[None, :, None], (nodes, nodes, 1)),
                                  strength, power, target_loss)
    first, second = one >= margin, two >= margin
    return {"first": float(first.mean()), "second": float(second.mean()), "both": float((first & second).mean()),
            "neither": float((~first & ~second).mean())}


@derivation("multi-view-growth", "Growth of one neuron's coordinate along a view, in the time that all neurons share.",
            "derived here; the power law of Allen-Zhu & Li (arXiv 2012.09816)",
            symbols={"a": "coordinate along the view", "mu": "strength of the view", "tau": "time weighted by 1/(1+e^F)",
                     "a_0": "start"})
def derive_growth(d, power=4):
    """Separate da/dτ = μ^q a^{q−1} and integrate."""
    import sympy as sp

    a, a0, mu, tau = sp.symbols("a a_0 mu tau", positive=True)
    sigma = d.step("The output of one neuron for a view is sigma(z) = z^q/q at z = mu a.", (mu * a) ** power / power)
    rate = d.step("-dL/da = g sigma'(a) with g = 1/(1+e^F); in tau the factor g drops out: da/dtau =", sp.diff(sigma, a))
    elapsed = d.step("Separate and integrate from a_0 to a: tau =", sp.simplify(
        sp.integrate(sp.expand(1 / rate), a) - sp.integrate(sp.expand(1 / rate), a).subs(a, a0)))
    d.step("a goes to infinity at the blow-up: tau* =", sp.limit(elapsed, a, sp.oo))
    room = sp.simplify(a0 ** (2 - power) - (power - 2) * mu**power * tau)
    solution = room ** sp.Rational(-1, power - 2)
    d.step("Solve for a:", sp.Eq(a, solution))
    d.vanishes("Check by differentiation.", sp.simplify(
        sp.powsimp(sp.diff(solution, tau) - rate.subs(a, solution), force=True)), "da/dtau - the rate")
    return d.conclude(sp.Eq(a, solution))


DERIVATIONS = {"multi-view-growth": derive_growth}


@slow
def check_width_one(rng):
    """Quadrature against sampled starts for width 1, where it is exact."""
    n = 200_000
    for strength in (1.0, 0.8):
        _, one, two = end_of_training(0.1 * rng.standard_normal((n, 1)), 0.1 * rng.standard_normal((n, 1)), strength, 4, 0.01)
        p = learn_probabilities(1, strength, 0.1, nodes=1500)["both"]
        share = float(np.mean((one >= 1) & (two >= 1)))
        yield Prediction(f"multi-view: P(both), m=1, second strength {strength}", p, share, np.sqrt(p * (1 - p) / n))


CHECKS = {"multi-view-width-one": check_width_one}
