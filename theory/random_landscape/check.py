"""Random-matrix and random-field formulas against sampled matrices, quadrature and sampled fields."""

import math

import numpy as np

from theory.derivation import Prediction, monte_carlo, slow
from theory.random_landscape import (
    index_at_energy,
    index_distribution,
    log_positive_probability,
    positive_probability,
    positive_probability_exact,
    rate_estimates,
)


def sample_goe(rng: np.random.Generator, replicas: int, n: int, variance: float = 1.0) -> np.ndarray:
    """(replicas, n, n) GOE matrices: off-diagonal variance as given, diagonal twice that."""
    m = rng.standard_normal((replicas, n, n)) * math.sqrt(variance / 2)
    return m + m.transpose(0, 2, 1)


@slow
def check_positive(rng):
    """P(all positive): sampled matrices for N <= 4, quadrature for N = 2 and 3, symbolic against high precision."""
    for n in (1, 2, 3, 4):
        positive = np.all(np.linalg.eigvalsh(sample_goe(rng, 200_000, n)) > 0, axis=1)
        yield monte_carlo(f"goe-positive/N={n}", positive_probability(n), positive, "sampled matrices")
    for n in range(1, 8):
        yield Prediction(f"goe-positive/exact,N={n}", float(positive_probability_exact(n).evalf(30)),
                         positive_probability(n), tolerance=1e-13, method="high-precision Pfaffian")
    for n in (2, 3):
        yield Prediction(f"goe-positive/quadrature,N={n}", positive_probability(n), positive_by_quadrature(n),
                         tolerance=1e-11, method="quadrature of the eigenvalue density")
    for n in (8, 12):
        mean, error = positive_by_splitting(rng, n)
        yield Prediction(f"goe-positive/splitting,N={n}", log_positive_probability(n), mean, error,
                         method="ln P by growing matrices row by row")


def positive_by_quadrature(n: int = 3, nodes: int = 90) -> float:
    """P for small n from the eigenvalue density in the smallest eigenvalue and the gaps, where it is smooth."""
    points, weights = np.polynomial.legendre.leggauss(nodes)
    gap, gap_weight = 8.5 * (points + 1), 8.5 * weights  # 0 ... 17: beyond, the density is below 1e-16 of its peak

    def integral(first, first_weight):
        grids = np.meshgrid(first, *[gap] * (n - 1), indexing="ij", sparse=True)
        x = np.cumsum(np.broadcast_arrays(*grids), axis=0)
        density = np.exp(-(x**2).sum(0) / 2)
        for i in range(n):
            for j in range(i):
                density *= x[i] - x[j]
        for w in [gap_weight] * (n - 1):
            density = density @ w
        return first_weight @ density

    line = 9.0 * points
    return float(integral(gap, gap_weight) / integral(line, 9.0 * weights))


def positive_by_splitting(rng: np.random.Generator, n: int, replicas: int = 20_000, batches: int = 16):
    """(ln P, standard error): grow positive-definite GOE matrices row by row, resampling the survivors at each step.

    A matrix is positive definite if all its leading blocks are; the corner of a larger block must exceed v^T M^-1 v.
    Rare events are reached in steps, and the error comes from independent batches (survivors share ancestors).
    """
    return _mean_and_error([_splitting_run(rng, n, replicas) for _ in range(batches)])


def _splitting_run(rng, n, replicas):
    matrices, log_p = np.empty((replicas, 0, 0)), 0.0
    for size in range(1, n + 1):
        row = rng.standard_normal((replicas, size - 1))
        grown = np.empty((replicas, size, size))
        grown[:, :-1, :-1] = matrices
        grown[:, -1, :-1] = grown[:, :-1, -1] = row
        grown[:, -1, -1] = rng.standard_normal(replicas) * math.sqrt(2)
        alive = grown[:, -1, -1] > np.einsum("ra,ra->r", row, np.linalg.solve(matrices, row[:, :, None])[:, :, 0])
        log_p += math.log(alive.mean())
        matrices = grown[alive][rng.integers(0, int(alive.sum()), replicas)]
    return log_p


def _mean_and_error(values):
    return float(np.mean(values)), float(np.std(values, ddof=1) / math.sqrt(len(values)))


def check_index(rng):
    """Index distribution against sampled matrices; its variance far below that of coin flips."""
    for n in (3, 12):
        index = np.sum(np.linalg.eigvalsh(sample_goe(rng, 100_000, n)) < 0, axis=1)
        p = index_distribution(n)
        for k in range(n // 2 - 1, n // 2 + 1):
            yield monte_carlo(f"goe-index/N={n},k={k}", p[k], index == k, "sampled matrices")
        mean = p @ np.arange(n + 1)
        yield monte_carlo(f"goe-index/variance,N={n}", p @ (np.arange(n + 1) - mean) ** 2, (index - n / 2) ** 2,
                          "sampled matrices")


def check_rate(rng):
    """The rate at finite sizes tends to ln(3)/4: second differences, extrapolated in 1/N^2."""
    rates = rate_estimates(61)  # sizes 2 ... 60
    n = np.arange(2, 61)
    i, j = 28, 58  # sizes 30 and 60
    extrapolated = (n[j] ** 2 * rates[j] - n[i] ** 2 * rates[i]) / (n[j] ** 2 - n[i] ** 2)
    yield Prediction("goe-rate", math.log(3) / 4, float(extrapolated), tolerance=1e-6,
                     method="exact probabilities at N = 29 ... 61, extrapolated")


def index_share_sampled(rng, n: int, energy: float, f0=1.0, f1=-1.0, f2=1.0, replicas=400, batches=20):
    """(mean, standard error) of the share of negative eigenvalues at critical points of energy n*eps, at finite n.

    Kac and Rice: GOE spectra are sampled, and the common shift is integrated out on a grid, with its Gaussian weight and
    |det|. The error of the ratio comes from batches.
    """
    spread = f2 - f1**2 / f0
    centre = -energy * -f1 / f0
    values = []
    for _ in range(batches):
        spectra = np.linalg.eigvalsh(sample_goe(rng, replicas, n, f2 / n))
        if spread > 0:
            # the weight is peaked near the predicted shift, not near the conditional mean: cover both
            reach = 8 * math.sqrt(2 * spread / n) + abs(centre)
            grid = centre + np.linspace(-reach, reach, 801)
            log_prior = -n * (grid - centre) ** 2 / (2 * spread)
        else:
            grid, log_prior = np.array([centre]), np.zeros(1)
        logs = np.stack([np.log(np.abs(spectra + t)).sum(1) + p for t, p in zip(grid, log_prior)], 1)
        share = np.stack([np.mean(spectra + t < 0, axis=1) for t in grid], 1)
        weight = np.exp(logs - logs.max())
        top, bottom = np.sum(weight * share), np.sum(weight)
        values.append(top / bottom)
    return _mean_and_error(values)


def check_index_energy(rng):
    """Share of negative eigenvalues at given energy: Kac-Rice samples at N = 16 and 32, extrapolated to N -> oo."""
    for energy, covariance in ((-0.6, (1.0, -1.0, 1.0)), (-0.6, (1.0, -1.0, 2.0)), (0.4, (1.0, -1.0, 3.0))):
        small, small_error = index_share_sampled(rng, 16, energy, *covariance)
        large, large_error = index_share_sampled(rng, 32, energy, *covariance)
        yield Prediction(f"index-energy/eps={energy},f''={covariance[2]:g}", float(index_at_energy(energy, *covariance)),
                         2 * large - small, math.hypot(2 * large_error, small_error), method="sampled Hessians, "
                                                                                             "extrapolated")


def share_of_maxima_on_the_line(low: float, high: float) -> float:
    """N = 1, f = e^-q: share of maxima among critical points of height in (low, high), from the conditional law of H.

    Given phi = e: H ~ N(-e, 2); critical points carry |H|; maxima have H < 0.
    """
    from scipy.integrate import quad
    from scipy.stats import norm

    def signed(e, sign):  # E[max(sign H, 0)], H ~ N(-e, 2)
        m, s = -sign * e, math.sqrt(2)
        return m * norm.cdf(m / s) + s * norm.pdf(m / s)

    maxima = quad(lambda e: signed(e, -1) * norm.pdf(e), low, high)[0]
    minima = quad(lambda e: signed(e, 1) * norm.pdf(e), low, high)[0]
    return maxima / (maxima + minima)


def check_field(rng):
    """The conditional law behind Kac-Rice, on sampled fields: one dimension, covariance exp(-(x - y)^2/2)."""
    replicas, points, length = 400, 4096, 200.0
    k = 2 * np.pi * np.fft.rfftfreq(points, length / points)
    power = np.exp(-(k**2) / 2)
    power /= power[0] + 2 * power[1:].sum()
    noise = rng.standard_normal((replicas, k.size)) + 1j * rng.standard_normal((replicas, k.size))
    modes = noise * np.sqrt(power / 2) * points
    modes[:, 0] = noise[:, 0].real * math.sqrt(power[0]) * points
    field, slope = np.fft.irfft(modes, points), np.fft.irfft(1j * k * modes, points)
    crossing = slope[:, :-1] * slope[:, 1:] < 0
    maximum = slope[:, :-1] > 0
    for low, high in ((0.5, 1.0), (-1.0, -0.5), (-0.2, 0.3)):
        inside = crossing & (field[:, :-1] > low) & (field[:, :-1] < high)
        total, maxima = inside.sum(1), (inside & maximum).sum(1)
        share = maxima.sum() / total.sum()
        error = np.sqrt(np.sum((maxima - share * total) ** 2)) / total.sum()
        yield Prediction(f"index-energy/line,{low}<phi<{high}", share_of_maxima_on_the_line(low, high), float(share),
                         float(error), method="critical points of sampled fields")


CHECKS = {"goe-positive": check_positive, "goe-index": check_index, "goe-rate": check_rate,
          "index-energy": check_index_energy, "index-energy-field": check_field}
