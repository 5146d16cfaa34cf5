"""Double descent, simulated: risk against the number of features, beside :mod:`theory.regression`.

Three families, each with label noise of variance σ² and an optional ridge:

``least-squares``
    y = β·x + noise with x ~ N(0, I_D) and a random direction β, |β|² = 1; p of the D features are used. The risk of a fit has
    the closed form |β̂ − β_in|² + |β_out|² + σ².
``random-features``
    x uniform on the sphere of radius √d, y = u·x + noise with a unit vector u, features relu(θ·x/√d) − 1/√(2π) with θ on
    the same sphere. The risk on fresh points is the excess, without σ².
``network``
    a one-hidden-layer ReLU network trained by AdamW on the squared loss, x and risk as before. y is u·x + noise, which one unit
    with a large bias represents exactly; or comes from a teacher of M units, Σ_m a_m relu(t_m·x)/√(½ − 1/2π) + noise (t_m unit
    vectors, a_m = ±1/√M, for about unit variance), which fewer than M units cannot represent.

Without a ridge, least squares and random features take the fit of least norm.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lab import checks
from lab.docstrings import arguments_as_in
from lab.errors import ArgumentError
from lab.names import renamed
from lab.results import Results
from lab.streams import generator
from lab.threads import single_threaded_blas
from theory.regression import finite_sample_risk, random_features_risk, ridge_risk
from toy.double_descent import FAMILIES
from toy.mlp.kernels import ADAM, SQUARED
from toy.mlp.train import initialise, train

MEAN_RELU = 1 / np.sqrt(2 * np.pi)
TEST_SAMPLES = 1000


def fit(x: np.ndarray, y: np.ndarray, penalty: float) -> np.ndarray:
    """Coefficients (..., p) of argmin |y − x b|²/n + penalty |b|²; of least norm where the penalty is 0.

    Parameters
    ----------
    x : (..., n, p) float array
        Features.
    y : (..., n) float array
        Targets.
    penalty : float ≥ 0
        Weight of |b|².

    Returns
    -------
    (..., p) float array

    Examples
    --------
    >>> fit(np.eye(2), np.array([1.0, 3.0]), 0.0)
    array([1., 3.])
    >>> fit(np.eye(2), np.array([1.0, 3.0]), 0.5)
    array([0.5, 1.5])
    """
    n, p = x.shape[-2:]
    if penalty == 0:
        return (np.linalg.pinv(x, rcond=1e-10) @ y[..., None])[..., 0]
    t = np.swapaxes(x, -1, -2)
    if p <= n:
        return np.linalg.solve(t @ x / n + penalty * np.eye(p), t @ y[..., None] / n)[..., 0]
    return (t @ np.linalg.solve(x @ t / n + penalty * np.eye(n), y[..., None] / n))[..., 0]


def _sphere(rng, rows, d):
    x = rng.standard_normal((rows, d))
    return x * (np.sqrt(d) / np.linalg.norm(x, axis=1, keepdims=True))


def _least_squares(features, samples, dim, noise_variance, ridge, seed, replica):
    rng, errors, direction = (generator(seed, "double-descent", what, replica) for what in ("data", "noise", "teacher"))
    beta = direction.standard_normal(dim)
    beta /= np.linalg.norm(beta)
    x = rng.standard_normal((samples, dim))
    y = x @ beta + np.sqrt(noise_variance) * errors.standard_normal(samples)
    risks = np.empty(len(features))
    for i, p in enumerate(features):
        fitted = fit(x[:, :p], y, ridge)
        risks[i] = np.sum((fitted - beta[:p]) ** 2) + np.sum(beta[p:] ** 2) + noise_variance
    return risks


def teacher_output(x: np.ndarray, teacher_width: int, seed: int, replica: int) -> np.ndarray:
    """Noise-free labels of the rows of x, from a teacher of ``teacher_width`` ReLU units, or a linear one if that is 0.

    The linear teacher takes the first axis as its direction, without loss of generality (by rotational symmetry).
    """
    if not teacher_width:
        return x[:, 0]
    rng = generator(seed, "double-descent", "teacher", replica)
    directions = _sphere(rng, teacher_width, x.shape[1]) / np.sqrt(x.shape[1])
    signs = rng.choice([-1.0, 1.0], teacher_width)
    return np.maximum(x @ directions.T, 0) @ signs / np.sqrt(teacher_width * (0.5 - MEAN_RELU**2))


def _task(samples, dim, noise_variance, seed, replica, teacher_width=0):
    """Training and test points of the random-features task."""
    rng, errors, fresh = (generator(seed, "double-descent", what, replica) for what in ("data", "noise", "test"))
    x, test = _sphere(rng, samples, dim), _sphere(fresh, TEST_SAMPLES, dim)
    truth = teacher_output(np.concatenate([x, test]), teacher_width, seed, replica)
    return x, truth[:samples] + np.sqrt(noise_variance) * errors.standard_normal(samples), test, truth[samples:]


def _random_features(features, samples, dim, noise_variance, ridge, seed, replica):
    x, y, test, truth = _task(samples, dim, noise_variance, seed, replica)
    theta = _sphere(generator(seed, "double-descent", "weights", replica), max(features), dim)
    # nested on purpose: all sizes use the first rows of one draw, so that a replica's curve has less noise
    train_features, test_features = (np.maximum(z @ theta.T / np.sqrt(dim), 0) - MEAN_RELU for z in (x, test))
    risks = np.empty(len(features))
    for i, p in enumerate(features):
        fitted = fit(train_features[:, :p], y, ridge * p / dim)
        risks[i] = np.mean((test_features[:, :p] @ fitted - truth) ** 2)
    return risks


def _networks(features, samples, dim, noise_variance, ridge, seed, replicas, epochs, teacher_width):
    tasks = [_task(samples, dim, noise_variance, seed, r, teacher_width) for r in range(replicas)]
    x, y, test, truth = (np.stack([t[i] for t in tasks]) for i in range(4))
    risks = np.empty((replicas, len(features)))
    for i, p in enumerate(features):
        start = initialise(dim, p, 1, replicas, seed, "double-descent")
        done = train(start, x, y[..., None], epochs=epochs, batch_size=samples, learning_rate=3e-3,
                     optimizer=ADAM, weight_decay=ridge, loss=SQUARED, target_loss=1e-4, seed=seed,
                     address=("double-descent",))
        risks[:, i] = np.mean((done(test)[..., 0] - truth) ** 2, axis=1)
    return risks


@dataclass(frozen=True)
class Risks(Results, axes="features: size; risks: replica size", picture="risks ~ features"):
    """Risks of independent fits; ``np.asarray`` gives ``risks``.

    Attributes
    ----------
    features : (F,) tuple of int
        Numbers of features, or of hidden units.
    risks : (replicas, F) float array
        Risk of each replica's fit.

    Examples
    --------
    >>> fits = simulate(features=(2, 4, 8), samples=4, dim=8, replicas=3)
    >>> fits.features, fits.risks.shape
    ((2, 4, 8), (3, 3))
    """

    features: tuple[int, ...]
    risks: np.ndarray

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return np.asarray(self.risks, dtype=dtype)


@dataclass(frozen=True)
class Prediction(Results, axes="features risks: size", picture="risks ~ features", theory=True):
    """Expected risks.

    Attributes
    ----------
    features : (F,) tuple of int
        Numbers of features, or of hidden units.
    risks : (F,) float array or None
        Exact for least squares without a ridge, asymptotic otherwise; None for networks, which have no theory.

    Examples
    --------
    >>> predict(family="network", features=(2, 4)).risks is None
    True
    """

    features: tuple[int, ...]
    risks: np.ndarray | None


def check(family, features, samples, dim, noise_variance, ridge, replicas, seed=0, teacher_width=0) -> list[int]:
    """Refuse arguments that :func:`simulate` cannot take; returns the numbers of features."""
    checks.choice("family", family, FAMILIES)
    features = checks.whole_numbers("features", features)
    for name, value in (("samples", samples), ("dim", dim), ("replicas", replicas)):
        checks.whole_number(name, value)
    checks.seed(seed)
    checks.real_number("noise_variance", noise_variance, least=0, most=1e100)
    checks.real_number("ridge", ridge, least=0, most=1e100)
    if checks.whole_number("teacher_width", teacher_width, 0) and family != "network":
        raise ArgumentError(f"teacher_width {teacher_width}: only the family network has a teacher of ReLU units",
                            "teacher_width", "family")
    if family == "least-squares":
        if max(features) > dim:
            raise ArgumentError(f"{max(features)} features are more than the {dim} that exist: raise dim", "features",
                                "dim")
        checks.fits_memory(samples=samples, dim=dim)
    else:
        checks.fits_memory(rows=samples + TEST_SAMPLES, dim=dim)
        checks.fits_memory(rows=samples + TEST_SAMPLES, features=max(features))
    if family == "network":
        checks.fits_memory(replicas=replicas, rows=samples + TEST_SAMPLES, dim=dim)
        checks.fits_memory(replicas=replicas, features=max(features), dim=dim)
    return features


@renamed(noise="noise_variance", teacher="teacher_width")
def simulate(family: str = "least-squares", features: Sequence[int] = (10, 20, 30, 36, 40, 44, 60, 100, 200, 400),
             samples: int = 40, dim: int = 400, noise_variance: float = 0.2, ridge: float = 0.0, replicas: int = 100,
             seed: int = 0, epochs: int = 4000, teacher_width: int = 0) -> Risks:
    """Risks of independent fits.

    Parameters
    ----------
    family : {"least-squares", "random-features", "network"}, default "least-squares"
        Model that is fitted.
    features : (F,) ints ≥ 1, default (10, 20, 30, 36, 40, 44, 60, 100, 200, 400)
        Numbers of features p, or of hidden units; at most ``dim`` for least squares.
    samples : int ≥ 1, default 40
        Training samples n.
    dim : int ≥ 1, default 400
        All features D of least squares, or the dimension d of the sphere.
    noise_variance : float ≥ 0, default 0.2
        Variance σ² of the label noise.
    ridge : float ≥ 0, default 0
        Penalty λ: λ|b|² for least squares, λ (p/d)|a|² for random features, AdamW's weight decay for the network.
    replicas : int ≥ 1, default 100
        Independent fits.
    seed : int in 0 … 2⁶⁴ − 1, default 0
        Replica r draws from streams of its own.
    epochs : int ≥ 1, default 4000
        Passes of the network over the samples, fewer if its loss falls below 1e-4.
    teacher_width : int ≥ 0, default 0
        ReLU units of the network's teacher; 0 for the linear teacher of the other families.

    Returns
    -------
    Risks
        One risk per replica and number of features.

    Raises
    ------
    InputError
        For an unknown family, or sizes out of range or beyond the memory.

    References
    ----------
    Belkin et al. (2020), arXiv 1903.07571 (least squares); Mei & Montanari (2019), arXiv 1908.05355 (random features).

    Examples
    --------
    The median risk peaks where features and samples are equally many:

    >>> np.median(simulate(features=(2, 8, 32), samples=8, dim=32, replicas=50).risks, axis=0).round(2)
    array([ 1.41, 10.68,  1.04])
    """
    sizes = check(family, features, samples, dim, noise_variance, ridge, replicas, seed, teacher_width)
    checks.whole_number("epochs", epochs)
    if family == "network":
        return Risks(tuple(sizes), _networks(sizes, samples, dim, noise_variance, ridge, seed, replicas, epochs, teacher_width))
    one = _least_squares if family == "least-squares" else _random_features
    with single_threaded_blas():  # small matrices: threads would only wait for each other
        return Risks(tuple(sizes), np.array([one(sizes, samples, dim, noise_variance, ridge, seed, r) for r in range(replicas)]))


@renamed(noise="noise_variance", teacher="teacher_width")
@arguments_as_in(simulate)
def predict(family: str = "least-squares", features: Sequence[int] = (10, 20, 30, 36, 40, 44, 60, 100, 200, 400),
            samples: int = 40, dim: int = 400, noise_variance: float = 0.2, ridge: float = 0.0, replicas: int = 100,
            seed: int = 0, epochs: int = 4000, teacher_width: int = 0) -> Prediction:
    """Expected risks: exact for least squares without a ridge, asymptotic otherwise; none for networks.

    Parameters
    ----------
    replicas : int ≥ 1, default 100
        Not used: theory does not depend on it.
    seed : int in 0 … 2⁶⁴ − 1, default 0
        Not used, likewise.
    epochs : int ≥ 1, default 4000
        Not used, likewise.

    Returns
    -------
    Prediction
        One expected risk per number of features.

    Raises
    ------
    InputError
        As :func:`simulate`.

    References
    ----------
    Formulas and sources in :mod:`theory.regression`.

    Examples
    --------
    >>> predict(features=(2, 6, 10, 32), samples=8, dim=32).risks.round(2)
    array([1.59, 7.09, 8.05, 1.02])
    """
    sizes = check(family, features, samples, dim, noise_variance, ridge, replicas, seed, teacher_width)
    checks.whole_number("epochs", epochs)
    return Prediction(tuple(sizes), _expected(family, np.asarray(sizes), samples, dim, noise_variance, ridge))


def _expected(family, features, samples, dim, noise_variance, ridge) -> np.ndarray | None:
    used = features / dim
    if family == "least-squares":
        if ridge == 0:
            return np.asarray(finite_sample_risk(samples, features, used, 1 - used, noise_variance))
        # to the fit, the unused features are independent Gaussian noise of variance |beta_out|^2
        out = 1 - used + noise_variance
        return np.asarray(ridge_risk(features / samples, ridge, used, out)) + out
    if family == "random-features":
        return np.asarray(random_features_risk(used, samples / dim, ridge, noise_variance=noise_variance))
    return None
