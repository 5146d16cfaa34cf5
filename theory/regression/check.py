"""Risk formulas against quadrature, sampled regressions and plain optimisation."""

import numpy as np

from theory.derivation import Prediction, monte_carlo
from theory.regression import (
    finite_sample_risk,
    optimal_ridge,
    optimal_risk,
    peak,
    random_features_risk,
    ridge_risk,
)


def sampled_least_squares(rng, n, p, signal_in, signal_out, noise, replicas):
    """(replicas,) risks E(y - beta_hat.x)^2 of minimum-norm least squares on Gaussian data, averaged over x exactly."""
    beta = np.zeros(p)
    if p:
        beta[0] = np.sqrt(signal_in)
    x = rng.standard_normal((replicas, n, p))
    y = x @ beta + np.sqrt(signal_out + noise) * rng.standard_normal((replicas, n))
    fitted = np.einsum("rpn,rn->rp", np.linalg.pinv(x), y)
    return ((fitted - beta) ** 2).sum(1) + signal_out + noise


def ridge_risk_by_quadrature(gamma, ridge, signal, noise, points=4000):
    """The ridge risk as an integral over the Marchenko-Pastur law (Gauss-Chebyshev on its square-root edges).

    The law's density has a pole at 0 just outside its support, which spoils the quadrature where gamma is near 1. The bias is
    therefore written by its distance from its value at 0, (ridge / (x + ridge))^2 - 1, whose factor x cancels the pole; the
    atom at 0 and the continuous part together have mass 1.
    """
    low, high = (1 - np.sqrt(gamma)) ** 2, (1 + np.sqrt(gamma)) ** 2
    angle = (np.arange(points) + 0.5) * np.pi / points
    x = (low + high) / 2 + (high - low) / 2 * np.cos(angle)
    x_weight = ((high - low) / 2 * np.sin(angle)) ** 2 / (2 * np.pi * gamma) * np.pi / points  # x times the weight of x
    bias = 1 - np.sum(x_weight * (x + 2 * ridge) / (x + ridge) ** 2)
    return signal * bias + noise * gamma * np.sum(x_weight / (x + ridge) ** 2)


def sampled_random_features(rng, d, psi1, psi2, ridge, noise, replicas, activation=None):
    """(replicas,) excess risks of ridge regression on random ReLU features of spherical data, linear target of norm 1."""
    def sphere(rows):
        x = rng.standard_normal((rows, d))
        return x * (np.sqrt(d) / np.linalg.norm(x, axis=1, keepdims=True))

    features, samples = round(psi1 * d), round(psi2 * d)
    risks = []
    for _ in range(replicas):
        beta = sphere(1)[0] / np.sqrt(d)
        theta, train, test = sphere(features), sphere(samples), sphere(2000)
        z, z_test = (np.maximum(x @ theta.T / np.sqrt(d), 0) - 1 / np.sqrt(2 * np.pi) for x in (train, test))
        y = train @ beta + np.sqrt(noise) * rng.standard_normal(samples)
        a = np.linalg.solve(z.T @ z / samples + features * ridge / d * np.eye(features), z.T @ y / samples)
        risks.append(np.mean((z_test @ a - test @ beta) ** 2))
    return np.array(risks)


def check_finite(rng):
    """Exact finite-sample risk against sampled regressions; the mean needs finite variance: |p - n| >= 6."""
    for n, p in ((20, 8), (20, 40), (12, 30)):
        risks = sampled_least_squares(rng, n, p, 1.0, 0.5, 0.3, 6_000)
        yield monte_carlo(f"regression-finite/n={n},p={p}", finite_sample_risk(n, p, 1.0, 0.5, 0.3), risks)


def check_ridge(rng):
    """Asymptotic ridge risk against an integral over the Marchenko-Pastur law, and its optimum against a search."""
    from scipy.optimize import minimize_scalar

    for gamma, ridge in ((0.3, 0.1), (2.0, 0.01), (0.99, 0.05), (5.0, 3.0)):
        yield Prediction(f"regression-ridge/gamma={gamma},ridge={ridge}", ridge_risk(gamma, ridge, 1.5, 0.7),
                         ridge_risk_by_quadrature(gamma, ridge, 1.5, 0.7), method="Marchenko-Pastur "
                                                                                  "integral", tolerance=1e-10)
    best = minimize_scalar(lambda v: ridge_risk(1.2, v, 1.5, 0.7), bounds=(1e-3, 5), method="bounded",
                           options={"xatol": 1e-10})
    yield Prediction("regression-ridge/optimum", optimal_ridge(1.2, 1.5, 0.7), best.x, method="search", tolerance=1e-6)
    yield Prediction("regression-ridge/optimal-risk", optimal_risk(1.2, 1.5, 0.7), best.fun, method="search", tolerance=1e-12)
    n, p, ridge = 600, 900, 0.2
    risks = []
    for _ in range(20):
        x = rng.standard_normal((n, p))
        beta = rng.standard_normal(p) / np.sqrt(p)
        y = x @ beta + rng.standard_normal(n)
        dual = np.linalg.solve(x @ x.T / n + ridge * np.eye(n), y / n)
        risks.append(np.sum((x.T @ dual - beta) ** 2))
    yield monte_carlo("regression-ridge/sampled", ridge_risk(p / n, ridge), risks, "regressions with n = 600, p = 900")


def check_peak(rng):
    """Height and width of the peak at small ridge, by search on the full formula, extrapolated in sqrt(ridge)."""
    peaks = [peak(ridge, 1.0, 1.0) for ridge in (4e-6, 1e-6)]
    for name, power, exact in (("height", 0.5, 0.5), ("width", -0.5, 4 * np.sqrt(3))):
        coarse, fine = (values[name] * ridge**power for values, ridge in zip(peaks, (4e-6, 1e-6)))
        yield Prediction(f"regression-peak/{name}", exact, 2 * fine - coarse, method="search on the ridge "
                                                                                     "risk", tolerance=1e-4)


def check_random_features(rng):
    """The cited theorem by simulation, at two dimensions extrapolated to d -> oo (corrections are O(1/d))."""
    for psi1, psi2, ridge in ((6.0, 3.0, 0.01), (2.0, 2.0, 0.05), (1.0, 4.0, 0.02)):
        pairs = []
        for d, replicas in ((30, 160), (60, 80)):
            risks = sampled_random_features(rng, d, psi1, psi2, ridge, 0.25, replicas)
            pairs.append((risks.mean(), risks.std(ddof=1) / np.sqrt(replicas)))
        (small, small_error), (large, large_error) = pairs
        yield Prediction(f"regression-random-features/{psi1:g},{psi2:g},{ridge:g}",
                         random_features_risk(psi1, psi2, ridge, noise_variance=0.25), 2 * large - small,
                         float(np.hypot(2 * large_error, small_error)), method="simulated at d = 30 and 60, "
                                                                               "extrapolated")


CHECKS = {"regression-finite": check_finite, "regression-ridge": check_ridge, "regression-peak": check_peak,
          "regression-random-features": check_random_features}
