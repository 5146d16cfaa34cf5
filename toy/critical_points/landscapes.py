"""Two landscapes with their slopes and curvatures, many points at a time.

``relu``
    half the mean squared error of k ReLU units with a teacher of k orthonormal ones (:mod:`theory.landscape`), N = k² weights.
    It is the same for every replica. Permutations map critical points to each other; all points of an orbit have one height and
    one index.
``field``
    a Gaussian random field on R^N with <φ(x) φ(y)> = N exp(−|x − y|²/2N), the f(q) = e^(−q) of :mod:`theory.random_landscape`, by
    random waves: φ(x) = √(2N/M) Σ_m cos(ω_m·x + b_m), ω ~ N(0, I/N), b uniform, M = ``WAVES`` (Rahimi & Recht 2007).
    Stationary over all of R^N. Every replica has its own draw.
"""

from collections.abc import Callable

import numpy as np

from theory import landscape as exact

WAVES = 600
LENGTHS = (0.5, 2.0)  # shortest and longest start in the ReLU landscape, relative to the usual length
STEPS = (0, 1, 3, 10, 30, 100)  # gradient steps from there before the search begins

Slopes = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
Values = Callable[[np.ndarray], np.ndarray]


def relu(k: int) -> tuple[Values, Slopes]:
    """Loss, and gradient with Hessian, at points (R, k²)."""
    teacher = np.eye(k)

    def value(x):
        return exact.loss(x.reshape(-1, k, k), teacher)

    def slopes(x):
        weights = x.reshape(-1, k, k)
        return exact.gradient(weights, teacher).reshape(x.shape), np.stack([exact.hessian(w, teacher) for w in weights])

    return value, slopes


def field(n: int, rng: np.random.Generator) -> tuple[Values, Slopes]:
    """The same for a random field at points (R, n), whose value is φ/N."""
    waves, phases = rng.standard_normal((WAVES, n)) / np.sqrt(n), rng.uniform(0, 2 * np.pi, WAVES)
    height = np.sqrt(2 * n / WAVES)
    squares = (waves[:, :, None] * waves[:, None, :]).reshape(WAVES, n * n)

    def value(x):
        return height * np.cos(x @ waves.T + phases).sum(axis=1) / n

    def slopes(x):
        angle = x @ waves.T + phases
        return -height * np.sin(angle) @ waves, -height * (np.cos(angle) @ squares).reshape(-1, n, n)

    return value, slopes


def starts(landscape: str, size: int, count: int, slopes: Slopes, rng: np.random.Generator) -> np.ndarray:
    """(count, N) starting points at many heights: random points of a field; for the ReLU loss, networks of several lengths after
    several numbers of gradient steps."""
    if landscape == "field":
        return 10 * np.sqrt(size) * rng.standard_normal((count, size))
    x = rng.standard_normal((count, size * size)) / np.sqrt(size) * np.geomspace(*LENGTHS, count)[:, None]
    steps = rng.choice(STEPS, count)
    for step in range(max(STEPS)):
        moving = np.flatnonzero(steps > step)
        if moving.size:
            x[moving] -= 0.1 * slopes(x[moving])[0]
    return x
