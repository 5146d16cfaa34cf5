"""The Gaussian averages against independent numbers: quadrature and plain Monte Carlo.

Quadrature: the exponentially convergent trapezoidal rule on a grid of whitened normals for the erf averages; for the
ReLU averages (kinks) one unit is integrated adaptively, the others by their known conditional laws.
Monte Carlo: 10⁶ normals in 8 dimensions, covariances of full rank, near singular (condition 1e12) and of rank 3.
"""

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

import theory.gaussian as gaussian
from theory.derivation import Prediction, monte_carlo

AVERAGES: dict[str, tuple[Callable[..., Any], int]] = {  # name → (function, number of indices)
    "erf-i2": (gaussian.erf_i2, 2),
    "erf-j2": (gaussian.erf_j2, 2),
    "erf-i3": (gaussian.erf_i3, 3),
    "erf-i4": (gaussian.erf_i4, 4),
    "relu-i2": (gaussian.relu_i2, 2),
    "relu-j2": (gaussian.relu_j2, 2),
    "relu-i3": (gaussian.relu_i3, 3),
}
_LETTERS = {"erf-i2": "ab", "erf-j2": "ik", "erf-i3": "ibc", "erf-i4": "ikab",
            "relu-i2": "ab", "relu-j2": "ik", "relu-i3": "ibc"}


def covariance(rng: np.random.Generator, n: int, kind: str = "full", norm: float = 1.0) -> np.ndarray:
    """A random n×n covariance: "full" rank, "near-singular" (condition number 1e12) or of "low" rank ⌈n/3⌉."""
    root = rng.standard_normal((n, n)) * norm / math.sqrt(n)
    if kind == "near-singular":
        left, _, right = np.linalg.svd(root)
        root = left @ np.diag(norm * np.logspace(0, -6, n)) @ right
    elif kind == "low":
        root[:, -(-n // 3):] = 0.0
        root *= math.sqrt(3)
    return root @ root.T


@functools.cache
def _derived(name):
    from theory.gaussian.derive import DERIVATIONS

    return DERIVATIONS[name]().result.rhs


def symbolic_value(name: str, C: np.ndarray, *indices: int) -> float:
    """The *derived* SymPy expression, evaluated numerically (40 digits), independent of the compiled kernels."""
    import sympy as sp

    from theory.gaussian.derive import covariance_symbol

    letters = _LETTERS[name]
    index = dict(zip(letters, indices))
    values = {covariance_symbol(x, y): sp.Float(float(C[index[x], index[y]]), 40) for x in letters for y in letters}
    values[sp.Symbol("theta", positive=True)] = sp.acos(
        values[covariance_symbol(letters[0], letters[-1])]
        / sp.sqrt(values[covariance_symbol(letters[0], letters[0])]
                  * values[covariance_symbol(letters[-1], letters[-1])]))
    return float(sp.re(_derived(name).subs(values).evalf(30)))


def quadrature(name: str, C: np.ndarray, *indices: int) -> float:
    """The average by numerical integration, to about 1e-11."""
    return (_relu_quadrature if name.startswith("relu") else _erf_quadrature)(name, C, indices)


def _axis(variance):
    """Points and weights of one whitened normal; the products grow at most like exp(4 variance y²/2) off the axis."""
    step = min(0.36, math.sqrt(2 * math.pi**2 / (30 * (1 + 4 * variance))))
    grid = np.arange(-int(8.2 / step), int(8.2 / step) + 1) * step  # the weight at the ends is below 1e-14
    weight = np.exp(-grid**2 / 2)
    return grid, weight / weight.sum()


def _erf_quadrature(name, C, indices):
    letters = sorted(set(indices))
    values, vectors = np.linalg.eigh(C[np.ix_(letters, letters)])
    keep = values > 1e-13 * max(values.max(), 1e-300)
    root = vectors[:, keep] * np.sqrt(values[keep])
    rank = root.shape[1]
    axes = [_axis(value) for value in values[keep][::-1]]  # the longest axis first: the loop below runs over it
    root = root[:, ::-1]
    grid, weight = axes[0] if rank else (np.zeros(1), np.ones(1))
    others = np.zeros((0, 1))
    others_weight = np.ones(1)
    for other, other_weight in axes[1:]:
        others = np.vstack([np.repeat(others, other.size, axis=1), np.tile(other, others.shape[1])])
        others_weight = np.multiply.outer(others_weight, other_weight).ravel()
    total = 0.0
    for x, w in zip(grid, weight):
        z = root[:, 1:] @ others + (root[:, :1] * x if rank else 0.0)
        product = _erf_product(name, dict(zip(letters, z)), indices)
        total += w * float(np.dot(product, others_weight))
    return total


def _erf_product(name, units, indices):
    """The averaged product; ``units`` maps an index to the values of that unit."""
    from scipy.special import erf

    def slope(a):
        return math.sqrt(2 / math.pi) * np.exp(-units[a] * units[a] / 2)

    def g(a):
        return erf(units[a] / math.sqrt(2))

    if name == "erf-i2":
        return g(indices[0]) * g(indices[1])
    if name == "erf-j2":
        return slope(indices[0]) * slope(indices[1])
    if name == "erf-i3":
        return slope(indices[0]) * units[indices[1]] * g(indices[2])
    return slope(indices[0]) * slope(indices[1]) * g(indices[2]) * g(indices[3])


def _relu_quadrature(name, C, indices):
    from scipy.integrate import quad
    from scipy.special import ndtr

    first, last = indices[0], indices[-1]
    s = math.sqrt(C[first, first])

    def conditional(x):
        """<…| first unit = x s> for x > 0, from the law of a conditioned Gaussian."""
        slope = C[first, last] / s
        mean, sd = slope * x, math.sqrt(max(C[last, last] - slope**2, 0.0))
        u = mean / sd if sd > 0 else math.copysign(math.inf, mean)
        cdf = float(ndtr(u))
        ramp = mean * cdf + sd * math.exp(-min(u * u, 1400.0) / 2) / math.sqrt(2 * math.pi)  # <relu(z_last)>
        if name == "relu-j2":
            return cdf
        if name == "relu-i2":
            return s * x * ramp
        b = indices[1]
        slope_b = C[first, b] / s
        return slope_b * x * ramp + (C[b, last] - slope_b * slope) * cdf

    value, _ = quad(lambda x: conditional(x) * math.exp(-x * x / 2) / math.sqrt(2 * math.pi), 0, 12,
                    epsabs=1e-14, epsrel=1e-13, limit=400)
    return value


def samples(name: str, z: np.ndarray, *indices: int) -> np.ndarray:
    """The averaged product on samples z, shape (samples, n)."""
    if name.startswith("erf"):
        return _erf_product(name, {index: z[:, index] for index in indices}, indices)
    units = [z[:, index] for index in indices]
    if name == "relu-i2":
        return np.maximum(units[0], 0.0) * np.maximum(units[1], 0.0)
    if name == "relu-j2":
        return ((units[0] > 0) & (units[1] > 0)).astype(float)
    return (units[0] > 0) * units[1] * np.maximum(units[2], 0.0)


def _draw(rng, C, size):
    values, vectors = np.linalg.eigh(C)
    return (rng.standard_normal((size, C.shape[0])) * np.sqrt(np.maximum(values, 0.0))) @ vectors.T


def _check(name):
    function, arity = AVERAGES[name]

    def check(rng):
        C = covariance(rng, arity, "full", 1.0)
        order = tuple(range(arity))
        derived = symbolic_value(name, C, *order)
        yield Prediction(f"{name}/derived-vs-quadrature", derived, quadrature(name, C, *order), tolerance=1e-8,
                         scale=1.0, method="derived expression against quadrature")
        yield Prediction(f"{name}/kernel-vs-derived", derived, function(C, *order), tolerance=1e-12, scale=1.0,
                         method="compiled kernel against the derived expression")
        for kind in ("full", "near-singular", "low"):
            C = covariance(rng, 8, kind, 1.5)
            z = _draw(rng, C, 1_000_000)
            for repeat in range(2):
                indices = tuple(int(x) for x in rng.integers(0, 8, arity))
                yield monte_carlo(f"{name}/{kind}-{repeat}", function(C, *indices), samples(name, z, *indices),
                                  f"Monte Carlo, n = 8, indices {indices}")

    return check


CHECKS = {name: _check(name) for name in AVERAGES}
