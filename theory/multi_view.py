r"""Multi-view data: when width ignores a feature. (Derived here, after Allen-Zhu & Li 2020, arXiv 2012.09816.)

One class shows two views, with strengths μ₁ = 1 and μ₂ ≤ 1. Neuron r has coordinates a_r, b_r along the two views (its
others stay at their tiny start), and answers with σ(z) = z₊^q / q, q ≥ 3. All samples show both views:
    F = F₁ + F₂,  F₁ = Σ_r σ(μ₁ a_r),  F₂ = Σ_r σ(μ₂ b_r),   L = log(1 + e^{−F}),
trained by gradient flow from a_r, b_r ~ N(0, σ₀²) until L = ε. A view is *learnt* if it suffices alone: F_i ≥ κ.

With τ = ∫ g dt, g = 1/(1 + e^F), every coordinate moves on its own, da/dτ = μ^q a^{q−1}, so
    a(τ) = (a₀^{2−q} − (q−2) μ^q τ)^{−1/(q−2)},
which blows up at τ* = a₀^{2−q} / ((q−2) μ^q): the largest start of each view decides. Training ends at the τ where
F = log(1/(e^ε − 1)). The second view is learnt too only if its blow-up comes at nearly the same τ.

Width works through extremes. Of m Gaussian starts the largest grow like √(2 ln m), and the *ratio* of two such maxima tends
to 1: equal views tie, and wide networks learn both. With μ₂ < 1 the tie is broken by the strengths alone, so wide networks
surely ignore the second view, and narrow ones find it by luck.
"""

import numpy as np

from lab import checks
from lab.arrays import floats
from lab.names import renamed
from theory.derivation import Prediction, derivation, slow


def final_output(loss: float) -> float:
    """F at which log(1 + e^{−F}) equals the loss."""
    return float(-np.log(np.expm1(loss)))


def blow_up(start, strength: float, power: int):
    """τ* = a₀^{2−q} / ((q−2) μ^q); infinite for starts that are not positive."""
    start = floats(start, "start")
    with np.errstate(divide="ignore"):
        time = np.maximum(start, 0.0) ** (2 - power) / ((power - 2) * strength**power)
    return np.where(start > 0, time, np.inf)


def output(start, tau, strength: float, power: int):
    """σ(μ a(τ)) of one neuron and view; infinite from its blow-up on.

    Parameters
    ----------
    start, tau : arrays that broadcast.
    strength, power : μ and q.
    """
    start, tau = np.broadcast_arrays(floats(start, "start"), floats(tau, "tau"))
    with np.errstate(divide="ignore", invalid="ignore"):
        room = np.maximum(start, 0.0) ** (2 - power) - (power - 2) * strength**power * tau
        value = strength**power * np.where(room > 0, room, 0.0) ** (-power / (power - 2)) / power
    return np.where(start > 0, value, 0.0)


def end_of_training(first, second, strength: float, power: int, target_loss: float):
    """τ at which the loss is reached, and F₁, F₂ there.

    Parameters
    ----------
    first, second : (..., m) starts a₀, b₀ of all neurons.
    strength, power, target_loss : μ₂, q, ε.

    Returns
    -------
    tau, F₁, F₂ : (...) arrays; infinite τ and zeros where no start is positive.
    """
    first, second = floats(first, "first"), floats(second, "second")
    target = final_output(target_loss)
    high = np.minimum(blow_up(first, 1.0, power).min(axis=-1), blow_up(second, strength, power).min(axis=-1))
    alive = np.isfinite(high)
    high = np.where(alive, high, 1.0)
    # bisect the distance to the blow-up on a logarithmic scale: F is a steep function of it
    near, far = np.full(high.shape, -60.0), np.zeros(high.shape)
    for _ in range(70):
        middle = 0.5 * (near + far)
        tau = -high * np.expm1(middle)
        total = (output(first, tau[..., None], 1.0, power).sum(-1)
                 + output(second, tau[..., None], strength, power).sum(-1))
        beyond = total >= target
        near, far = np.where(beyond, middle, near), np.where(beyond, far, middle)
    tau = -high * np.expm1(0.5 * (near + far))
    parts = [np.where(alive, output(s, tau[..., None], mu, power).sum(-1), 0.0)
             for s, mu in ((first, 1.0), (second, strength))]
    return np.where(alive, tau, np.inf), *parts


@renamed(scale="init_scale", loss="target_loss")
def learn_probabilities(width: int, strength: float, init_scale: float, power: int = 4, target_loss: float = 0.01,
                        margin: float = 1.0, nodes: int = 300) -> dict[str, float]:
    """P(first), P(second), P(both), P(neither) view learnt by one network, keeping only each view's leading neuron.

    Exact for width 1 (one neuron has one coordinate a view); for more it leaves out what the other neurons add, which
    favours whatever is behind. Two-dimensional quadrature over the largest starts, whose distribution function is
    Φ(x/σ₀)^m.

    Parameters
    ----------
    width, strength, init_scale : m, μ₂, σ₀.
    power, target_loss, margin : q, ε, κ.
    """
    from scipy.special import ndtri

    checks.whole_number("width", width)
    checks.real_number("strength", strength, above=0)
    checks.real_number("init_scale", init_scale, above=0)
    checks.whole_number("power", power, 3, 100)
    checks.real_number("target_loss", target_loss, above=0, below=float(np.log(2)))
    checks.real_number("margin", margin, above=0)
    # equal probability cells of the maximum, P(max < x) = Φ(x/σ₀)^m; the cells' midpoints carry the weight
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
    sigma = d.step("One neuron answers a view with sigma(z) = z^q/q at z = mu a.", (mu * a) ** power / power)
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
