"""Checks of the landscape formulas by plain Monte Carlo, finite differences and numerical eigenvalues."""

from functools import partial

import numpy as np

from theory.derivation import Prediction, monte_carlo
from theory.landscape import (
    birth_slope,
    effective_tickets,
    escape_index,
    gradient,
    gradient_fast,
    hessian,
    loss,
    own_curvature,
    split_curvature,
    ticket_null,
    widen,
)

STEP = 1e-5


def numerical_gradient(function, weights: np.ndarray, step: float = STEP) -> np.ndarray:
    """Central differences of a scalar or vector function of (n, d) weights: (..., n, d), or (n d, ...) flattened."""
    rows = []
    for unit in np.eye(weights.size).reshape(-1, *weights.shape):
        rows.append(np.subtract(function(weights + step * unit), function(weights - step * unit)) / (2 * step))
    return np.array(rows).reshape(weights.size, -1)


def critical_point(start: np.ndarray, teachers: np.ndarray, tolerance: float = 1e-12) -> np.ndarray:
    """A minimum near the start: L-BFGS, then Newton steps with the closed-form Hessian.

    The largest gradient entry is below ``tolerance`` if Newton's method gets there; at degenerate minima it may be larger, so
    the caller has to check.
    """
    from scipy.optimize import minimize

    shape = start.shape
    weights = minimize(lambda w: loss(w.reshape(shape), teachers), start.ravel(),
                     jac=lambda w: gradient(w.reshape(shape), teachers).ravel(), method="L-BFGS-B",
                     options={"maxiter": 5000, "maxfun": 10000, "ftol": 0, "gtol": 1e-9}).x.reshape(shape)
    for _ in range(20):
        g = gradient(weights, teachers).ravel()
        if np.abs(g).max() < tolerance:
            break
        weights = weights - (np.linalg.pinv(hessian(weights, teachers), rcond=1e-9, hermitian=True) @ g).reshape(shape)
    return weights


def spurious_minimum(rng: np.random.Generator, k: int, tries: int = 200) -> np.ndarray | None:
    """A minimum of k students for k orthonormal teachers with loss above 1e-3, or None after ``tries`` starts."""
    teachers = np.eye(k)
    for _ in range(tries):
        weights = critical_point(rng.standard_normal((k, k)) / np.sqrt(k), teachers)
        if loss(weights, teachers) > 1e-3 and np.abs(gradient(weights, teachers)).max() < 1e-11:
            return weights
    return None


def check_loss(rng):
    """Loss against the sample mean of half the squared error."""
    for n, k, d in ((3, 2, 4), (1, 5, 3), (6, 6, 6)):
        students, teachers = rng.standard_normal((n, d)), rng.standard_normal((k, d))
        x = rng.standard_normal((400_000, d))
        error = np.maximum(x @ students.T, 0).sum(1) - np.maximum(x @ teachers.T, 0).sum(1)
        yield monte_carlo(f"landscape-loss/n={n},k={k},d={d}", float(loss(students, teachers)), error**2 / 2)


def check_derivatives(rng):
    """Gradient and Hessian against central differences (of the loss, and of the gradient)."""
    for n, k, d in ((3, 2, 4), (5, 7, 3), (1, 1, 2)):
        students, teachers = rng.standard_normal((n, d)), rng.standard_normal((k, d))
        exact = gradient(students, teachers).ravel()
        numeric = numerical_gradient(partial(loss, teachers=teachers), students)[:, 0]
        worst = np.argmax(np.abs(exact - numeric))
        yield Prediction(f"landscape-gradient/n={n},k={k},d={d}", exact[worst], numeric[worst], tolerance=1e-7,
                         method="central differences, worst entry", scale=np.abs(exact).max())
        fast = gradient_fast(students, teachers).ravel()
        worst = np.argmax(np.abs(exact - fast))
        yield Prediction(f"landscape-gradient-fast/n={n},k={k},d={d}", exact[worst], fast[worst], tolerance=1e-13,
                         method="plain NumPy, worst entry", scale=np.abs(exact).max())
        exact, numeric = hessian(students, teachers), numerical_gradient(partial(gradient, teachers=teachers), students)
        entry = np.unravel_index(np.argmax(np.abs(exact - numeric)), exact.shape)
        yield Prediction(f"landscape-hessian/n={n},k={k},d={d}", exact[entry], numeric[entry], tolerance=1e-7,
                         method="central differences, worst entry", scale=np.abs(exact).max())


def check_split(rng):
    """Escape index and split curvature at a spurious minimum, against second differences of the widened loss."""
    k = 8
    point, teachers = spurious_minimum(rng, k), np.eye(k)
    if point is None:
        raise RuntimeError("no spurious minimum found")
    added = rng.integers(0, 3, k)
    wide = widen(point, [rng.dirichlet(3 * np.ones(a + 1)) for a in added])
    values = np.linalg.eigvalsh(hessian(wide, teachers))
    yield Prediction("landscape-split/index", escape_index(point, teachers, added), int(np.sum(values < -1e-8)),
                     method="eigenvalues of the widened Hessian")
    unit, share = int(np.argmin(np.linalg.eigvalsh(own_curvature(point, teachers))[:, 0])), 0.3
    pair = widen(point, [[share, 1 - share] if i == unit else [1.0] for i in range(k)])
    _, vectors = np.linalg.eigh(own_curvature(point, teachers)[unit])
    u, step = vectors[:, 0], 1e-3
    move = np.zeros_like(pair)
    move[unit], move[unit + 1] = u / np.sqrt(2), -u / np.sqrt(2)
    # differences of the gradient along the line, extrapolated in the step because F is only C^2 where units coincide
    slopes = [np.sum(move * (gradient(pair + h * move, teachers) - gradient(pair - h * move, teachers))) / (2 * h)
              for h in (step, step / 2, step / 4)]
    first = [2 * slopes[1] - slopes[0], 2 * slopes[2] - slopes[1]]
    numeric = (4 * first[1] - first[0]) / 3
    yield Prediction("landscape-split/curvature", split_curvature(point, teachers, unit, share)[0], numeric,
                     tolerance=1e-5, method="differences of the gradient, extrapolated")
    direction = rng.standard_normal(k)
    grown = [loss(np.vstack([point, h * direction]), teachers) - loss(point, teachers) for h in (1e-3, 5e-4)]
    yield Prediction("landscape-birth", birth_slope(point, teachers, direction[None])[0],
                     float((4 * grown[1] - grown[0]) / 1e-3), tolerance=1e-6, method="one-sided differences of the loss",
                     scale=float(np.linalg.norm(direction)))


def check_tickets(rng):
    """The ticket null against independent draws."""
    p, n, k = 0.8, 6, 4
    fails = np.all(rng.random((200_000, 15)) < p, axis=1)
    yield monte_carlo("landscape-tickets/null", float(ticket_null(p, n, k)), fails)
    yield Prediction("landscape-tickets/inverse", float(effective_tickets(ticket_null(p, n, k), p)), 15, method="C(6, 4)",
                     tolerance=1e-12)


CHECKS = {"landscape-loss": check_loss, "landscape-derivatives": check_derivatives, "landscape-split": check_split,
          "landscape-tickets": check_tickets}
