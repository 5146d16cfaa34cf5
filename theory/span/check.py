"""Independent numbers for ``theory.span``: samples, plain minimisers and integrators, finite differences."""

import math

import numpy as np

from theory.derivation import Prediction, monte_carlo
from theory.span.closed_form import gradient, hessian, loss
from theory.span.coupons import cover_probability, equal_strength_span_error
from theory.span.features import unit_span_errors
from theory.span.outlook import escape_rates, growth_rate
from theory.span.solutions import best_solution, solution
from theory.span.uniqueness import competitor_end, power_strengths

FOUR, NORM = np.array([1.0, 0.7, 0.4, 0.2]), 3.0


def _units(x, directions):
    from scipy.special import erf

    return erf(x @ np.asarray(directions).T / math.sqrt(2))


def check_loss(rng):
    """Loss by samples; gradient and Hessian by finite differences."""
    for width in (1, 3):
        state = rng.normal(size=width * 6)
        x = rng.normal(size=(400_000, 5))
        f = _units(x, state[width:].reshape(width, 5)) @ state[:width]
        y = _units(x[:, :4], NORM * np.eye(4)) @ FOUR
        yield monte_carlo(f"graded-loss/width-{width}", loss(state, FOUR, NORM, width), 0.5 * (f - y) ** 2)
        along, h = rng.normal(size=state.size), 1e-4

        def loss_at(t, state=state, along=along, width=width):
            return loss(state + t * along, FOUR, NORM, width)

        slope = (8 * (loss_at(h) - loss_at(-h)) - (loss_at(2 * h) - loss_at(-2 * h))) / (12 * h)
        yield Prediction(f"graded-gradient/width-{width}", float(gradient(state, FOUR, NORM, width) @ along),
                         float(slope), method="finite difference of the loss")
        bend = (gradient(state + h * along, FOUR, NORM, width) - gradient(state - h * along, FOUR, NORM, width)) @ along
        yield Prediction(f"graded-hessian/width-{width}", float(along @ hessian(state, FOUR, NORM, width) @ along),
                         float(bend / (2 * h)), tolerance=1e-6, method="finite difference of the gradient")


def check_solutions(rng):
    """Losses of the solutions: the best of plain minimisations from small random starts."""
    from scipy.optimize import minimize

    for name, A, norm, width in (("four/K1", FOUR, NORM, 1), ("four/K2", FOUR, NORM, 2), ("four/K3", FOUR, NORM, 3),
                                 ("equal/M4K2", np.ones(4), 1.0, 2), ("sqrt/M5K3", power_strengths(5, 0.5), 1.0, 3)):
        losses = []
        for _ in range(6):
            start = 0.1 * rng.normal(size=width * (1 + A.size))
            losses.append(minimize(loss, start, args=(A, norm, width), jac=gradient, method="BFGS",
                                   options={"gtol": 1e-11, "maxiter": 4000}).fun)
        yield Prediction(f"graded-solution/{name}", best_solution(A, norm, width).loss, float(min(losses)), tolerance=1e-7,
                         method="smallest loss of six minimisations (BFGS)")


def check_span_error(rng):
    """FSE per teacher unit by ridge regression on sampled features."""
    for width in (1, 2):
        directions = best_solution(FOUR, NORM, width).directions
        exact = unit_span_errors(directions, NORM)
        shares = []
        for _ in range(20):
            x = rng.normal(size=(20_000, 4))
            a, b = _units(x, directions), _units(x, NORM * np.eye(4))
            weights = np.linalg.lstsq(a, b, rcond=None)[0]
            shares.append(((b - a @ weights) ** 2).mean(0) / (b**2).mean(0))
        for m in range(4):
            yield monte_carlo(f"graded-span-error/K{width}-unit-{m + 1}", exact[m], np.array(shares)[:, m],
                              "regression on samples, 20 batches")


def check_growth(rng):
    """λ0 = √(2/π) |⟨y x⟩|: a small unit is √(2/π) w·x."""
    towards = FOUR / np.linalg.norm(FOUR)
    x = rng.normal(size=(400_000, 4))
    y = _units(x, NORM * np.eye(4)) @ FOUR
    yield monte_carlo("graded-growth/rate", growth_rate(FOUR, NORM), math.sqrt(2 / math.pi) * y * (x @ towards))


def check_escape(rng):
    """Escape rate from the width-1 plateau: full Hessian against (v/n) times the curvature of one neuron's term."""
    del rng
    one = best_solution(FOUR, NORM, 1)
    v, w, h = one.output[0], np.append(one.directions[0], 0.0), 1e-3

    def term(w):  # ⟨(f − y) g(w·x)⟩ at the fixed residual of the critical point: the output gradient of a silent second neuron
        state = np.concatenate([[v, 0.0], np.append(one.directions[0], 0.0), w])
        return gradient(state, FOUR, NORM, 2)[1]

    n = w.size
    D = np.empty((n, n))
    for i in range(n):
        for j in range(n):
            a, b = h * np.eye(n)[i], h * np.eye(n)[j]
            D[i, j] = (term(w + a + b) - term(w + a - b) - term(w - a + b) + term(w - a - b)) / (4 * h * h)
    lowest = float(np.linalg.eigvalsh((D + D.T) / 2)[0])
    for width in (2, 5, 16):
        yield Prediction(f"graded-escape/width-{width}", escape_rates(FOUR, NORM, width)[0], -v / width * lowest,
                         tolerance=1e-5, method="v/n × finite differences of one neuron's term")


def check_coupons(rng):
    """The coupon law on random subsets; the mean span error over random collections, each with its own regression."""
    for units, isolated, copies in ((4, 1, 6), (8, 3, 5), (8, 3, 12)):
        drawn = np.zeros((20_000, units), bool)
        for _ in range(copies):
            take = np.argsort(rng.random((len(drawn), units)), axis=1)[:, :isolated]
            np.put_along_axis(drawn, take, True, axis=1)
        yield monte_carlo(f"coupon-law/M{units}-s{isolated}-c{copies}", cover_probability(units, isolated, copies),
                          drawn.all(axis=1))
    one = best_solution(np.ones(4), NORM, 2).directions
    values = []
    for _ in range(150):
        stack = []
        for unit in rng.integers(4, size=3):
            order = [unit] + [m for m in range(4) if m != unit]
            moved = np.zeros_like(one)
            moved[:, order] = one
            stack.append(moved)
        values.append(unit_span_errors(np.concatenate(stack), NORM).mean())
    yield monte_carlo("coupon-law/span-error-M4-K2-c3", equal_strength_span_error(4, NORM, 2, 3)[0], values)


def check_uniqueness(rng):
    """The end of the competitor, by bisection: beyond it, the flow (by a stiff integrator) leaves the competitor."""
    from scipy.integrate import solve_ivp

    del rng
    units, norm, width, chosen = 4, NORM, 2, (1,)
    end = competitor_end(units, norm, width, chosen, resolution=5e-4)
    start = solution(power_strengths(units, 0.3), norm, width, chosen)
    assert start is not None, "the competitor exists near equal strengths"
    W = np.zeros((width, units + 1))
    W[:, :-1] = start.directions
    state = np.concatenate([start.output, W.ravel()])
    low, high = 0.3, 0.7
    while high - low > 2e-3:
        x = 0.5 * (low + high)
        A = power_strengths(units, x)
        flow = solve_ivp(lambda t, y, A=A: -gradient(y, A, norm, width), (0, 1e5), state, method="LSODA", rtol=1e-8,
                         atol=1e-10, jac=lambda t, y, A=A: -hessian(y, A, norm, width))
        fallen = loss(flow.y[:, -1], A, norm, width) < best_solution(A, norm, width).loss * (1 + 1e-4)
        low, high = (low, x) if fallen else (x, high)
    yield Prediction("graded-uniqueness/M4-K2", end, 0.5 * (low + high), tolerance=0.01,
                     method="bisection on whether the flow leaves the competitor")


CHECKS = {
    "graded-loss": check_loss,
    "graded-solutions": check_solutions,
    "graded-span-error": check_span_error,
    "graded-growth": check_growth,
    "graded-escape": check_escape,
    "coupon-law": check_coupons,
    "graded-uniqueness": check_uniqueness,
}
