"""Checks of hull probabilities by sampled points and membership tests, and of separating degrees by Cover's law."""

import math

import numpy as np

from theory.derivation import Prediction, monte_carlo
from theory.extrapolation import (
    ball_inside,
    degree_distribution,
    expected_interior_points,
    gaussian_inside,
    inside_threshold,
    log_ball_inside,
    regular_cone,
    separating_degree,
    vertices_threshold,
    wendel_inside,
)


def sample_ball(rng: np.random.Generator, points: int, dimension: int) -> np.ndarray:
    """(points, d) uniform in the unit ball."""
    x = rng.standard_normal((points, dimension))
    return x * (rng.random((points, 1)) ** (1 / dimension) / np.linalg.norm(x, axis=1, keepdims=True))


def is_inside(points: np.ndarray, query: np.ndarray) -> bool:
    """Whether the query is a convex combination of the points, by non-negative least squares on [points; 1]."""
    from scipy.optimize import nnls

    scale = np.abs(points).max()
    _, residual = nnls(np.vstack([points.T / scale, np.ones(len(points))]), np.append(query / scale, 1.0), maxiter=100_000)
    return residual < 1e-9


def sampled_inside(rng, law, points, dimension, replicas, fresh=1, width=1.0):
    """(replicas,) shares of fresh points inside the hull, with a new hull for each replica."""
    shares = []
    for _ in range(replicas):
        if law == "ball":
            x, q = sample_ball(rng, points, dimension), sample_ball(rng, fresh, dimension)
        else:
            x, q = rng.standard_normal((points, dimension)), width * rng.standard_normal((fresh, dimension))
        shares.append(np.mean([is_inside(x, query) for query in q]))
    return np.array(shares)


def check_ball(rng):
    """Exact values (Efron: triangle in the disc; tetrahedron in the ball; the line), then sampled hulls."""
    for n, d, value, name in ((3, 2, 35 / (48 * math.pi**2), "triangle in the disc"),
                              (4, 3, 9 / 715, "tetrahedron in the ball"), (9, 1, 0.8, "interval")):
        yield Prediction(f"hull-ball/N={n},d={d}", ball_inside(n, d), value, method=name, tolerance=1e-11)
    for n, d, replicas in ((20, 4, 4000), (300, 6, 3000), (5000, 8, 400)):
        yield monte_carlo(f"hull-ball/N={n},d={d}", ball_inside(n, d), sampled_inside(rng, "ball", n, d, replicas),
                          "sampled hulls")


def check_gaussian(rng):
    """The cited formula: cones by sampling, Wendel's limit, sampled hulls."""
    for n, r in ((4, 0.5), (3, -0.25)):
        z = rng.standard_normal((200_000, n))
        covariance = np.eye(n) + r
        below = np.all(z @ np.linalg.cholesky(covariance).T < 0, axis=1)
        yield monte_carlo(f"hull-cone/n={n},r={r}", regular_cone(n, r), below, "sampled Gaussians")
    yield Prediction("hull-cone/tetrahedron", regular_cone(3, -0.25), (3 * math.acos(1 / 3) - math.pi) / (4 * math.pi),
                     method="solid angle", tolerance=1e-11)
    for n, d in ((5, 3), (40, 12)):
        yield Prediction(f"hull-gaussian/centre,N={n},d={d}", gaussian_inside(n, d, 0.0), float(wendel_inside(n, d)),
                         method="Wendel's theorem", tolerance=1e-11)
    for n, d, replicas, width in ((8, 3, 4000, 1.0), (60, 6, 4000, 1.0), (30, 5, 4000, 0.5), (2000, 8, 400, 1.0)):
        yield monte_carlo(f"hull-gaussian/N={n},d={d},width={width}", gaussian_inside(n, d, width),
                          sampled_inside(rng, "gaussian", n, d, replicas, width=width), "sampled hulls")


def check_thresholds(rng):
    """At N = 2^(d/2) points a fresh one is outside, contrary to how arXiv 2110.09485 reads Barany and Furedi.

    The exact law at that N is compared with samples, and the two growth laws with exact thresholds at d = 100 and 200.
    """
    for d in (8, 12):
        n = 2 ** (d // 2)
        inside = sampled_inside(rng, "ball", n, d, 400, fresh=5)
        yield Prediction(f"hull-misread/inside,N={n},d={d}", ball_inside(n, d), float(inside.mean()),
                         max(float(inside.std()) / 20, 1 / math.sqrt(2000) / 20), method="sampled hulls")
        interior = []
        for _ in range(60):
            x = sample_ball(rng, n, d)
            interior.append(sum(is_inside(np.delete(x, i, 0), x[i]) for i in range(n)))
        yield Prediction(f"hull-misread/interior,N={n},d={d}", expected_interior_points(n, d),
                         float(np.mean(interior)), max(float(np.std(interior)) / 60**0.5, 0.02), method="sampled hulls")
    for name, function, law in (("vertices", vertices_threshold, lambda d: d / 2 * math.log(2)),
                                ("inside", inside_threshold, lambda d: -d / 2 * math.log1p(-(0.5 ** (2 / d))))):
        first, second = (function(d, log=True) / law(d) - 1 for d in (100, 200))
        yield Prediction(f"hull-growth/{name}", 1.0, 1.0 + second, tolerance=0.06,
                         method="exact ln N at d = 200 over its leading order")
        yield Prediction(f"hull-growth/{name},closing-in", float(abs(second) < abs(first)), 1.0, tolerance=0.0,
                         method="nearer at d = 200 than at d = 100")
    yield Prediction("hull-growth/rate", log_ball_inside(math.exp(0.5 * 400), 400) / 400, math.log(1 - math.exp(-1)) / 2,
                     tolerance=0.1, method="ln(1 - e^(-2 nu))/2 at nu = 1/2, d = 400")


def check_polynomial(rng):
    """Smallest separating degree: sign changes on the line, Cover's law for random labels in the plane."""
    labels = rng.integers(0, 2, 12)
    labels[:2] = (0, 1)
    degree = separating_degree(np.arange(12), labels)
    yield Prediction("separating-degree/line", np.nan if degree is None else degree, int(np.sum(np.diff(labels) != 0)),
                     tolerance=0.0, method="sign changes")
    n, replicas = 12, 150
    degrees = np.array([separating_degree(rng.standard_normal((n, 2)), rng.integers(0, 2, n)) for _ in range(replicas)])
    law = degree_distribution(n, 2, 4)
    for k in (1, 2, 3):
        share = np.mean(degrees <= k)
        error = math.sqrt(law[k] * (1 - law[k]) / replicas)
        yield Prediction(f"separating-degree/random,k<={k}", law[k], float(share), error, method="linear programs")


CHECKS = {"hull-ball": check_ball, "hull-gaussian": check_gaussian, "hull-thresholds": check_thresholds,
          "separating-degree": check_polynomial}
