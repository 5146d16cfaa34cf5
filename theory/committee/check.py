"""The order-parameter equations and final errors against independent numbers.

Equations: plain Monte Carlo of one update of SGD; at small rate, finite differences of the loss in explicit weights.
Final errors, stability, drift: long integrations of the equations themselves (which the first check ties to SGD).
"""

import math

import numpy as np

from theory.committee import (
    critical_rate,
    derivatives,
    final_error,
    final_error_copies,
    final_error_first_layer,
    generalisation_error,
    integrate,
    order_parameters,
    pair_lifetime,
)
from theory.derivation import Prediction, monte_carlo


def copies(M: int, Z: int):
    """Q, R, T, v, A of K = Z M students that copy M orthonormal teachers, v = 1/Z, A = 1."""
    R = np.kron(np.eye(M), np.ones((Z, 1)))
    return R @ R.T, R, np.eye(M), np.full(M * Z, 1.0 / Z), np.ones(M)


def superfluous(M: int, L: int, norm: float = 0.0):
    """Q, R, T, v, A of M copies and L students of squared norm ``norm`` orthogonal to all, v = A = 1."""
    K = M + L
    Q = np.diag([1.0] * M + [norm] * L)
    R = np.zeros((K, M))
    R[:M] = np.eye(M)
    return Q, R, np.eye(M), np.ones(K), np.ones(M)


def check_equations(rng):
    """dQ, dR, dv of a random state against the average change in one step of SGD (N → ∞: |x|²/N = 1)."""
    from scipy.special import erf

    K, M, eta, eta_v, sigma = 3, 2, 0.7, 0.4, 0.5
    Q, R, T = order_parameters(rng.standard_normal((K, 12)), rng.standard_normal((M, 12)))
    v, A = rng.standard_normal(K), rng.standard_normal(M)
    dQ, dR, dv = derivatives(Q, R, T, v, A, learning_rate=eta, readout_learning_rate=eta_v, noise=sigma)
    C = np.block([[Q, R], [R.T, T]])
    z = rng.standard_normal((1_000_000, K + M)) @ np.linalg.cholesky(C).T
    g = erf(z / math.sqrt(2))
    slope = math.sqrt(2 / math.pi) * np.exp(-z[:, :K] ** 2 / 2)
    error = g[:, K:] @ A + sigma * rng.standard_normal(len(z)) - g[:, :K] @ v
    step = eta * v * slope * error[:, None]  # w_i moves by step_i x/√N
    for i, k in ((0, 0), (0, 1), (2, 1)):
        samples = step[:, i] * z[:, k] + step[:, k] * z[:, i] + step[:, i] * step[:, k]
        yield monte_carlo(f"committee-equations/dQ{i}{k}", dQ[i, k], samples, "average update of SGD")
    for i, m in ((0, 0), (1, 1)):
        yield monte_carlo(f"committee-equations/dR{i}{m}", dR[i, m], step[:, i] * z[:, K + m], "average update of SGD")
    yield monte_carlo("committee-equations/dv0", dv[0], eta_v * g[:, 0] * error, "average update of SGD")


def check_small_rate(rng):
    """Small rate: dQ, dR, dv are those of gradient descent on eg in explicit weights (finite differences)."""
    K, M, N = 3, 2, 6
    for activation in ("erf", "relu"):
        W, B = rng.standard_normal((K, N)), rng.standard_normal((M, N))
        v, A = rng.standard_normal(K), rng.standard_normal(M)

        def loss(W, v, B=B, A=A, activation=activation):
            return generalisation_error(W @ W.T, W @ B.T, B @ B.T, v, A, activation)

        h = 1e-5
        grad = np.zeros_like(W)
        for index in np.ndindex(W.shape):
            E = np.zeros_like(W)
            E[index] = h
            grad[index] = (loss(W + E, v) - loss(W - E, v)) / (2 * h)
        grad_v = np.array([(loss(W, v + h * e) - loss(W, v - h * e)) / (2 * h) for e in np.eye(K)])
        dQ, dR, dv = derivatives(W @ W.T, W @ B.T, B @ B.T, v, A, activation=activation, small_rate=True)
        wanted = {"dQ01": (dQ[0, 1], -(grad @ W.T + W @ grad.T)[0, 1]), "dR11": (dR[1, 1], -(grad @ B.T)[1, 1]),
                  "dv2": (dv[2], -grad_v[2])}
        for name, (formula, numeric) in wanted.items():
            yield Prediction(f"committee-small-rate/{activation}-{name}", formula, numeric, tolerance=1e-7, scale=1.0,
                             method="finite differences of the loss in the weights")


def check_final(rng):
    """Final errors against the equations, integrated until they are stationary."""
    eta, sigma = 1e-3, 0.5
    for M, L in ((2, 0), (3, 1)):
        state = superfluous(M, L)
        end = integrate(*state, [0, 60 / eta], learning_rate=eta, readout_learning_rate=0, noise=sigma, rtol=1e-9,
                        atol=1e-13).error[-1]
        yield Prediction(f"committee-final-first-layer/M={M},L={L}", final_error_first_layer(M, L, eta, sigma), end,
                         tolerance=2e-3, method="integrated, η = 0.001, σ = 0.5; next order ≲ η")
    for M, Z, eta, sigma in ((1, 2, 1e-3, 0.2), (2, 3, 1e-3, 0.2)):
        state = copies(M, Z)
        end = integrate(*state, [0, 400 * Z / eta], learning_rate=eta, noise=sigma, rtol=1e-9, atol=1e-13).error[-1]
        yield Prediction(f"committee-final-copies/M={M},K={M * Z}", final_error_copies(M, M * Z, eta, sigma), end,
                         tolerance=2e-3, method="integrated, η = 0.001, σ = 0.2; next order ≲ 10 ησ² and η")
    for (M, L), eta in (((1, 0), 2.0), ((2, 1), 0.8)):
        state = superfluous(M, L)
        sigma = 1e-3
        end = integrate(*state, [0, 2000], learning_rate=eta, readout_learning_rate=0, noise=sigma, rtol=1e-9,
                        atol=1e-16).error[-1]
        yield Prediction(f"committee-final-general/M={M},L={L},eta={eta}", final_error(state[0], state[3], eta, sigma),
                         end, tolerance=1e-4, method="integrated, σ = 0.001; next order ~ ησ²")


def check_stability(rng):
    """The largest stable rate against the spectrum of the equations, linearised by finite differences."""
    from scipy.optimize import brentq

    for M, L in ((1, 0), (2, 0), (2, 1)):
        Q, R, T, v, A = superfluous(M, L)
        K = v.size
        upper = np.triu_indices(K)

        def growth(eta, Q=Q, R=R, T=T, v=v, A=A, upper=upper, K=K):
            """Growth rate of deviations X = Q − RRᵀ outside the span of the teachers."""
            columns = []
            for i, k in zip(*upper):
                E = np.zeros((K, K))
                E[i, k] = E[k, i] = 1e-5
                column = np.zeros((K, K))
                for X, weight in ((1e-3, 2.0), (2e-3, -1.0)):  # inside the covariances; extrapolated to X = 0
                    for sign in (1, -1):
                        dQ, dR, _ = derivatives(Q + X * np.eye(K) + sign * E, R, T, v, A, learning_rate=eta,
                                                readout_learning_rate=0)
                        column += sign * weight * (dQ - dR @ R.T - R @ dR.T) / 2e-5
                columns.append(column[upper])
            return np.linalg.eigvals(np.array(columns).T).real.max()

        stable_up_to = brentq(growth, 0.5, 6.0, xtol=1e-8)
        yield Prediction(f"committee-stability/M={M},L={L}", critical_rate(Q, v), stable_up_to, tolerance=1e-4,
                         method="zero of the linearised equations' largest growth rate")


def check_pair(rng):
    """Two superfluous students drift apart in the time that the slow equation gives."""
    eta, sigma, Q0, Q1 = 0.01, 1.0, 0.02, 0.5
    Q, R, T, v, A = superfluous(1, 2, Q0)
    Q[1, 2] = Q[2, 1] = -Q0
    grid = np.linspace(0, 2 * pair_lifetime(Q0, Q1, eta, sigma), 4001)
    path = integrate(Q, R, T, v, A, grid, learning_rate=eta, readout_learning_rate=0, noise=sigma)
    norm = (path.Q[:, 1, 1] + path.Q[:, 2, 2] - 2 * path.Q[:, 1, 2]) / 4  # squared norm of half the difference
    yield Prediction("committee-pair-drift/time", pair_lifetime(Q0, Q1, eta, sigma), float(np.interp(Q1, norm, grid)),
                     tolerance=0.03, method="integrated, η = 0.01, M = 1, L = 2; next order ~ η")


def check_next_order(rng):
    """The share of the next order against the equations at small ησ²."""
    from theory.committee.derive import derive_next_order

    eta = 1e-3
    for layers, sigma, tolerance in ((1, 2.0, 0.02), (2, 0.5, 0.02)):
        result = derive_next_order(layers=layers).result.rhs
        share = float(result.subs(dict.fromkeys(result.free_symbols, 1)))
        state = copies(1, 1)
        end = integrate(*state, [0, 200 / eta], learning_rate=eta,
                        readout_learning_rate=0 if layers == 1 else 20 * eta, noise=sigma, rtol=1e-11,
                        atol=1e-15).error[-1]
        measured = (end / final_error(state[0], state[3], eta, sigma) - 1) / (eta * sigma**2)
        yield Prediction(f"committee-next-order/layers={layers}", share, float(measured), tolerance=tolerance,
                         method=f"integrated, ησ² = {eta * sigma**2:g}; the order after it is of that size")


CHECKS = {
    "committee-equations": check_equations,
    "committee-small-rate": check_small_rate,
    "committee-final": check_final,
    "committee-stability": check_stability,
    "committee-pair-drift": check_pair,
    "committee-next-order": check_next_order,
}
