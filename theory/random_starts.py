"""What gradient descent from random starts leaves to chance, for classifiers that are linear in their features.

A classifier f(x) = w·φ(x) is trained by gradient descent on a loss of its values at n samples, until the loss falls to a given
value. To first order in the start w₀ it ends at

    w = w(0) + J w₀,        J = (1 − ĝĝᵀ) Π_t (1 − η H_t),

with the Hessians H_t along the descent from zero and ĝ the direction of its last gradient, along which the end does not move,
because the loss there is given. Hessians and gradients lie in the span of the φ(x_i), so J q = q for every q orthogonal to all
samples: that component of w stays where it started, however long training lasts and whatever its loss. Directions that the
samples hardly see move late. From w₀ ~ N(0, s² I),

    f(x) = m(x) + s |Jᵀφ(x)| ξ,        ξ ~ N(0, 1),

where m is the end of the descent from zero. Then with z = m/(s|Jᵀφ|) two starts agree at x, and one of them decides for class 1,
with probability

    agreement = (1 + erf²(z/√2))/2,        P(class 1) = (1 + erf(z/√2))/2.

The law is exact for small starts. Away from the samples φ grows, and with it |Jᵀφ|.

Source: derived here.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lab import checks
from lab.arrays import floats
from lab.errors import InputError
from theory.derivation import Prediction, derivation, monte_carlo

if TYPE_CHECKING:
    from theory.derivation.steps import Derivation


def logistic_response(samples: npt.ArrayLike, labels: npt.ArrayLike, target_loss: float = 0.01,
                      max_steps: int = 50_000) -> tuple[np.ndarray, np.ndarray]:
    """Gradient descent on the logistic loss from zero, and how its end moves with the start.

    Parameters
    ----------
    samples : array_like of shape (n, F)
        Features of the samples.
    labels : array_like of shape (n,)
        Classes ±1.
    target_loss : float ≥ 0, default 0.01
        Mean loss at which descent stops; at 0 it makes all steps, and J has no factor 1 − ĝĝᵀ.
    max_steps : int ≥ 1, default 50,000
        Steps after which it stops in any case. A step is 1/L with L = λ_max(φᵀφ)/(4n), a bound on the curvature.

    Returns
    -------
    weights : ndarray of shape (F,)
        w(0).
    response : ndarray of shape (F, F)
        J.

    Raises
    ------
    InputError
        For shapes that do not fit, labels other than ±1, or numbers out of range.

    References
    ----------
    Derived here, see :mod:`theory.random_starts`.

    Examples
    --------
    >>> weights, response = logistic_response([[1.0, 0.0], [-1.0, 0.0]], [1, -1], target_loss=0.1)
    >>> weights.round(1), response.round(1)
    (array([2.5, 0. ]), array([[0., 0.],
           [0., 1.]]))
    """
    phi, signs = floats(samples, "samples"), floats(labels, "labels")
    if phi.ndim != 2 or signs.shape != phi.shape[:1] or not np.isfinite(phi).all() or set(np.unique(signs)) - {-1.0, 1.0}:
        raise InputError(f"samples must be finite and (n, F), labels ±1 and (n,), got {phi.shape} and {signs.shape}")
    checks.real_number("target_loss", target_loss, least=0)
    checks.whole_number("max_steps", max_steps)
    n, features = phi.shape
    rate = 4 * n / np.linalg.norm(phi, 2) ** 2
    w, response, gradient = np.zeros(features), np.eye(features), np.zeros(features)
    for _ in range(max_steps):
        margins = signs * (phi @ w)
        wrong = 1 / (1 + np.exp(margins))  # −dℓ/dm of ℓ = log(1 + e^(−m)); its own derivative is −wrong (1 − wrong)
        gradient = -(wrong * signs) @ phi / n
        if np.logaddexp(0, -margins).mean() <= target_loss:
            break
        response -= rate / n * phi.T @ ((wrong * (1 - wrong))[:, None] * (phi @ response))
        w -= rate * gradient
    if target_loss > 0 and gradient.any():
        unit = gradient / np.linalg.norm(gradient)
        response -= np.outer(unit, unit @ response)
    return w, response


def class_probability(mean: npt.ArrayLike, spread: npt.ArrayLike) -> np.ndarray:
    """Probability that a start decides for class 1, (1 + erf(z/√2))/2.

    Parameters
    ----------
    mean : array_like
        m, the value that all starts share.
    spread : array_like
        sτ ≥ 0, the standard deviation between starts; the arguments broadcast.

    Returns
    -------
    ndarray
        In [0, 1]; 1/2 where both arguments are 0.

    Raises
    ------
    InputError
        For a negative spread, or values that are not finite.

    References
    ----------
    Derived here, see :mod:`theory.random_starts`.

    Examples
    --------
    >>> class_probability([0.0, 1.0, -1.0], [2.0, 1.0, 0.0]).round(3)
    array([0.5  , 0.841, 0.   ])
    """
    from scipy.special import ndtr

    m, s = np.broadcast_arrays(floats(mean, "mean"), floats(spread, "spread"))
    if not (np.isfinite(m).all() and np.isfinite(s).all() and (s >= 0).all()):
        raise InputError("means must be finite, and spreads finite and at least 0")
    certain = s == 0
    return np.where(certain, (1 + np.sign(m)) / 2, ndtr(m / np.where(certain, 1.0, s)))


def agreement(mean: npt.ArrayLike, spread: npt.ArrayLike) -> np.ndarray:
    """Probability that two starts give the same class, (1 + erf²(z/√2))/2.

    Parameters
    ----------
    mean : array_like
        m, the value that all starts share.
    spread : array_like
        sτ ≥ 0, the standard deviation between starts; the arguments broadcast.

    Returns
    -------
    ndarray
        In [1/2, 1].

    Raises
    ------
    InputError
        For a negative spread, or values that are not finite.

    References
    ----------
    Derived here, see :mod:`theory.random_starts`.

    Examples
    --------
    >>> agreement([0.0, 1.0, 1.0], [2.0, 1.0, 0.0]).round(3)
    array([0.5  , 0.733, 1.   ])
    """
    return (1 + (2 * class_probability(mean, spread) - 1) ** 2) / 2


@derivation("random-starts", "Two random starts of gradient descent agree with probability (1 + erf(z/sqrt 2)^2)/2.",
            "derived here", symbols={"z": "m/(s |J^T f|)", "f": "features of the samples", "c": "derivatives of the loss",
                                     "h": "second derivatives of the loss", "g": "last gradient", "D": "change by training on"})
def derive_starts(d: "Derivation") -> object:
    """A step's response, what it leaves alone, where a given loss ends it, and the probabilities of a normal law."""
    import sympy as sp

    features, count = 4, 2
    phi = sp.Matrix(count, features, sp.symbols(f"f0:{count * features}", real=True))
    bends, rate = sp.diag(*sp.symbols(f"h0:{count}", real=True)), sp.Symbol("eta", positive=True)
    step = d.step("A step w - eta grad L of descent on any loss of the values w.f_i moves with w by 1 - eta H; two samples, four "
                  "features.", sp.eye(features) - rate * phi.T * bends * phi)
    for place, q in enumerate(phi.nullspace()):
        d.vanishes(f"It leaves direction {place + 1} orthogonal to the samples alone.", sp.simplify((step * q - q).norm()),
                   "change")
    g, change = sp.Matrix(sp.symbols("g0:2", real=True)), sp.Matrix(sp.symbols("D0:2", real=True))
    later = sp.Symbol("t", real=True)
    delay = sp.solve((g.T * (change - later * g))[0], later)[0]
    d.step("An end that moves by D is delayed until the loss is as given: g.(D - t g) = 0.", sp.Eq(later, delay))
    d.vanishes("So it moves by (1 - g g^T/|g|^2) D.", sp.simplify((change - delay * g - (
        sp.eye(2) - g * g.T / (g.T * g)[0]) * change).norm()))
    z, x = sp.symbols("z x", real=True)
    up = d.step("The end is normal about m. Class 1 has the probability",
                sp.integrate(sp.exp(-(x**2) / 2) / sp.sqrt(2 * sp.pi), (x, -z, sp.oo)).rewrite(sp.erf).expand())
    same = d.step("Two independent starts agree on class 1 or on the other.", sp.expand(up**2 + (1 - up) ** 2))
    result = (1 + sp.erf(z / sp.sqrt(2)) ** 2) / 2
    d.vanishes("It is (1 + erf(z/sqrt 2)^2)/2.", sp.simplify(same - result))
    return d.conclude(result)


def _check_starts(rng: np.random.Generator) -> Iterator[Prediction]:
    """Many small starts, descent step by step as long as that from zero, against the law."""
    phi, labels, probe = rng.standard_normal((3, 6)), np.array([1.0, -1.0, 1.0]), rng.standard_normal(6)
    weights, response = logistic_response(phi, labels, 0.0, max_steps=60)
    mean, distance, rate = weights @ probe, np.linalg.norm(response.T @ probe), 4 / np.linalg.norm(phi, 2) ** 2
    size = 0.003 * abs(mean) / distance
    w = size * rng.standard_normal((20_000, 6))
    for _ in range(60):
        w += rate * (labels / (1 + np.exp(labels * (w @ phi.T)))) @ phi
    moved = w @ probe - mean
    yield monte_carlo("random starts: variance", (size * distance) ** 2, moved**2)
    level = size * distance  # of a probe whose value is one standard deviation: z = 1
    yield monte_carlo("random starts: class 1", float(class_probability(level, level)), moved + level > 0)
    yield monte_carlo("random starts: agreement", float(agreement(level, level)),
                      (moved[::2] + level > 0) == (moved[1::2] + level > 0))


DERIVATIONS = {"random-starts": derive_starts}
CHECKS = {"random-starts": _check_starts}
