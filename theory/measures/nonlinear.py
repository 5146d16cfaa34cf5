"""Nonlinear span error and logistic probe: measures that need rows, on a stored, bounded subset of them.

Nonlinear span error: kernel ridge regression with the Gaussian kernel k(x, z) = exp(-|x - z|^2 / (2 h^2)), by Nystroem
features over landmarks Z (Williams & Seeger 2001): phi(x) = k(x, Z) K_ZZ^(-1/2), and then the linear span error from phi
on its moments, so ridge, centring and normalisation are those of :mod:`theory.measures.span`. With every fit row a
landmark it is kernel ridge regression with the centred kernel. The bandwidth h is a multiple of the median distance
between landmarks, so the measure is unchanged by rotation, isotropic scaling and permutation of units.

A Gaussian kernel of bounded bandwidth is no superset of linear maps: in many dimensions with few rows it can leave more
than linear ridge does. Report both; the smaller is the better bound on what the source holds. The other nonlinear map
is a superset: linear ridge, and a network with one hidden ReLU layer fitted to what ridge leaves over, times the share of
it, in [0, 1], that held-out rows bear out.

All of these are scored on rows that the fit has not seen: the same rows on both sides are refused. Each side's scale is
taken out first, a power of two.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from lab.arrays import floats, power_of_two, real
from lab.errors import InputError
from theory.measures.null import Rows, count_rows
from theory.measures.span import RIDGES, Names, choose_ridge, ridge_map, span_error
from theory.moments import Moments, listed

__all__ = [
    "LogisticProbe", "NetworkSpan", "NonlinearSpan", "logistic_probe", "mlp_span_error", "nonlinear_span_error",
    "nystroem_map",
]

_ROWS_AT_ONCE = 4096  # bound on the kernel matrix held between rows and landmarks


@dataclass(frozen=True)
class NonlinearSpan:
    """Nonlinear span error, with what was chosen on held-out fit rows.

    Attributes
    ----------
    error : share of the target's variance left unexplained on the score rows.
    ridge, bandwidth : relative, as chosen.
    landmarks : their number.
    left, total : squares of each score row that are left over, and about the fit's mean, shape (rows,): the ratio of their
        sums is ``error``.
    """

    error: float
    ridge: float
    bandwidth: float
    landmarks: int
    left: np.ndarray = field(compare=False, repr=False)
    total: np.ndarray = field(compare=False, repr=False)


def nystroem_map(x: np.ndarray, rng: np.random.Generator, *, landmarks: int = 512,
                 bandwidth: float = 1.0) -> Callable[[np.ndarray], np.ndarray]:
    """The function phi of the module's docstring, with landmarks drawn from the rows of ``x`` without replacement.

    Parameters
    ----------
    x : shape (rows, units), finite, not all rows equal.
    landmarks : at most the number of rows is taken.
    bandwidth : > 0, in units of the median distance between different landmarks.

    Returns
    -------
    A function from (rows, units) to (rows, rank of the landmarks' kernel matrix) in float64.
    """
    x = _matrix(x)
    unit = power_of_two(np.abs(x).max())
    x = x / unit
    if landmarks < 2 or not bandwidth > 0:
        raise InputError(f"Nystroem features need at least 2 landmarks and a positive bandwidth: {landmarks}, {bandwidth}")
    centre = x.mean(axis=0)  # against cancellation in the squared distances
    points = x[rng.choice(len(x), size=min(landmarks, len(x)), replace=False)] - centre
    squares = np.einsum("ij,ij->i", points, points)
    between = _squared_distances(points, points, squares)
    apart = between[np.triu_indices(len(points), 1)]
    apart = apart[apart > 1e-12 * float(squares.max())]
    if not apart.size:
        raise InputError("the source's rows are all equal: it has no nonlinear span")
    rate = 1 / (2 * bandwidth**2 * np.median(apart))
    values, vectors = np.linalg.eigh(np.exp(-rate * between))
    kept = values > 1e-12 * values[-1]
    whiten = vectors[:, kept] / np.sqrt(values[kept])

    def features(rows: np.ndarray) -> np.ndarray:
        rows = _matrix(rows) / unit
        out = np.empty((len(rows), whiten.shape[1]))
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            piece = rows[start:start + _ROWS_AT_ONCE] - centre
            out[start:start + _ROWS_AT_ONCE] = np.exp(-rate * _squared_distances(piece, points, squares)) @ whiten
        return out

    return features


def _squared_distances(x: np.ndarray, points: np.ndarray, squares: np.ndarray) -> np.ndarray:
    out = x @ points.T
    out *= -2
    out += squares
    out += np.einsum("ij,ij->i", x, x)[:, None]
    return np.maximum(out, 0.0, out=out)


def nonlinear_span_error(fit: Rows, score: Rows, *, source: Names, target: Names, rng: np.random.Generator,
                         ridges: Sequence[float] = RIDGES, bandwidths: Sequence[float] = (0.5, 1.0, 2.0, 4.0),
                         landmarks: int = 512, validation: float = 0.2) -> NonlinearSpan:
    """Share of the target's variance that kernel ridge regression from the source leaves unexplained.

    Ridge and bandwidth are chosen on a random ``validation`` share of the fit rows; the regression is then fitted on all
    of them. With one ridge and one bandwidth nothing is chosen.

    Parameters
    ----------
    fit, score : ``{name: array of shape (rows, units)}``, different rows.
    source, target : block names.
    ridges : relative to the mean variance of the Nystroem features, > 0.
    bandwidths : in units of the median distance between landmarks.
    """
    x, x_score = _both(fit, score, source)
    y, y_score = _both(fit, score, target)
    ridges, bandwidths = [float(r) for r in ridges], [float(b) for b in bandwidths]
    if not ridges or not bandwidths or not min(ridges) > 0:
        raise InputError("nonlinear span error needs at least one ridge, all above 0, and at least one bandwidth")
    if not 0 < validation < 1:
        raise InputError(f"validation must be a share in (0, 1), got {validation!r}")
    ridge, bandwidth = ridges[0], bandwidths[0]
    if len(ridges) > 1 or len(bandwidths) > 1:
        order = rng.permutation(len(x))
        held, kept = np.split(order, [max(1, round(validation * len(x)))])
        if len(kept) < 2:
            raise InputError(f"{len(x)} rows are too few to choose ridge and bandwidth: give one of each")
        errors = [_errors(*_moments(x[kept], y[kept], x[held], y[held], b, landmarks, rng)[:2], ridges) for b in bandwidths]
        at_b, at_r = np.unravel_index(int(np.argmin(errors)), (len(bandwidths), len(ridges)))
        ridge, bandwidth = ridges[at_r], bandwidths[at_b]
    fit_moments, score_moments, phi = _moments(x, y, x_score, y_score, bandwidth, landmarks, rng)
    error = _errors(fit_moments, score_moments, [ridge])
    weights, offset = ridge_map(fit_moments, source="phi", target="target", ridge=ridge)
    return NonlinearSpan(float(error[0]), ridge, bandwidth, min(landmarks, len(x)),
                         *_squares(y_score - phi @ weights - offset, y_score - y.mean(0)))


def _moments(x, y, x_score, y_score, bandwidth, landmarks, rng) -> tuple[Moments, Moments, np.ndarray]:
    """Moments of Nystroem features and target on the fit and the score rows, and those features of the score rows."""
    features = nystroem_map(x, rng, landmarks=landmarks, bandwidth=bandwidth)
    phi = features(x_score)
    return Moments.from_samples({"phi": features(x), "target": y}), Moments.from_samples({"phi": phi, "target": y_score}), phi


def _errors(fit: Moments, score: Moments, ridges) -> np.ndarray:
    return span_error(fit, source="phi", target="target", ridge=ridges, score=score)


def _squares(*parts: np.ndarray) -> tuple[np.ndarray, ...]:
    """Sum of squares of each row of each part."""
    return tuple(np.einsum("ij,ij->i", part, part) for part in parts)


@dataclass(frozen=True)
class NetworkSpan:
    """Span error after ridge regression and a small network on what it leaves over.

    Attributes
    ----------
    error, linear : share of the target's variance left on the score rows, with the network and by ridge alone.
    ridge : relative, as chosen on held-out rows.
    used : share of the network's output that held-out rows bear out, in [0, 1].
    left, linear_left, total : squares of each score row that are left over, with the network and by ridge alone, and about
        the fit's mean, shape (rows,).
    """

    error: float
    linear: float
    ridge: float
    used: float
    left: np.ndarray = field(compare=False, repr=False)
    linear_left: np.ndarray = field(compare=False, repr=False)
    total: np.ndarray = field(compare=False, repr=False)


def mlp_span_error(fit: Rows, score: Rows, *, source: Names, target: Names, rng: np.random.Generator,
                   ridges: Sequence[float] = RIDGES, hidden: int = 128, validation: float = 0.2,
                   iterations: int = 200) -> NetworkSpan:
    """Share of the target's variance that ridge and a small network on its residual leave unexplained.

    Parameters
    ----------
    fit, score : ``{name: array of shape (rows, units)}``, different rows.
    source, target : block names.
    ridges : relative; chosen on a random ``validation`` share of the fit rows, which also says how much of the network to use.
    hidden : units of its one ReLU layer; trained by scikit-learn's ``MLPRegressor`` with early stopping.
    iterations : passes over the rows at most.
    """
    x, x_score = _both(fit, score, source)
    y, y_score = _both(fit, score, target)
    if hidden < 1 or iterations < 1 or not 0 < validation < 1:
        raise InputError(f"a network needs hidden units, iterations and a validation share in (0, 1): {hidden}, {iterations}, "
                         f"{validation}")
    held, kept = np.split(rng.permutation(len(x)), [max(1, round(validation * len(x)))])
    if len(kept) < 10:
        raise InputError(f"{len(x)} rows are too few for a network: give at least 20")
    parts = [Moments.from_samples({"x": x[rows], "y": y[rows]}) for rows in (kept, held)]
    ridge = choose_ridge(*parts, source="x", target="y", ridges=ridges).ridge
    weights, offset = ridge_map(parts[0], source="x", target="y", ridge=ridge)
    left = [b - a @ weights - offset for a, b in ((x[kept], y[kept]), (x[held], y[held]), (x_score, y_score))]
    mean, deviation = x[kept].mean(0), x[kept].std(0)
    deviation[deviation <= 1e-12 * np.abs(mean)] = 1.0  # units that do not vary
    scale = float(left[0].std()) or 1.0

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPRegressor

    network = MLPRegressor(hidden_layer_sizes=(hidden,), early_stopping=True, n_iter_no_change=8, max_iter=iterations,
                           random_state=int(rng.integers(2**31)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a cap, not a fault: the best pass is kept
        network.fit((x[kept] - mean) / deviation, left[0] / scale if y.shape[1] > 1 else left[0].ravel() / scale)
    said = [network.predict((a - mean) / deviation).reshape(len(a), -1) * scale for a in (x[held], x_score)]
    own = float((said[0] ** 2).sum())
    used = float(np.clip((said[0] * left[1]).sum() / own, 0.0, 1.0)) if own > 0 else 0.0
    total = float(((y_score - y[kept].mean(0)) ** 2).sum())
    if not total > 0:
        raise InputError(f"target {target!r} does not vary on the score rows")
    rest = left[2] - used * said[1]
    return NetworkSpan(float((rest**2).sum() / total), float((left[2] ** 2).sum() / total), ridge, used,
                       *_squares(rest, left[2], y_score - y[kept].mean(0)))


@dataclass(frozen=True)
class LogisticProbe:
    """Multinomial logistic regression on features, scored on other rows.

    Attributes
    ----------
    accuracy : share of score rows whose class is predicted.
    log_loss : mean negative log-likelihood in nats; a class not seen in fitting has probability 1e-15.
    converged : whether the fit reached its tolerance.
    right : of each score row whether its class is predicted, shape (rows,).
    """

    accuracy: float
    log_loss: float
    converged: bool
    right: np.ndarray = field(compare=False, repr=False)


def logistic_probe(fit: Rows, score: Rows, *, features: Names, labels: str = "labels", penalty: float = 1.0,
                   iterations: int = 1000) -> LogisticProbe:
    """Linear probe by logistic regression (scikit-learn's ``LogisticRegression``), on standardised features.

    Parameters
    ----------
    fit, score : ``{name: array}``; ``labels`` names a vector of classes, ``features`` blocks of shape (rows, units).
    penalty : of |w|^2/2 against the summed log-likelihood: scikit-learn's 1/C, > 0.
    iterations : at most.
    """
    if not penalty > 0 or iterations < 1:
        raise InputError(f"a logistic probe needs penalty > 0 and iterations >= 1: {penalty}, {iterations}")
    x, x_score = _both(fit, score, features)
    classes, classes_score = _labels(fit, labels), _labels(score, labels)
    if len(np.unique(classes)) < 2:
        raise InputError("a logistic probe needs at least two classes among the fit rows")
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    mean, deviation = x.mean(axis=0), x.std(axis=0)
    deviation[deviation <= 1e-12 * np.abs(mean)] = 1.0  # units that do not vary
    model = LogisticRegression(C=1 / penalty, max_iter=iterations)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # told by ``converged``
        model.fit((x - mean) / deviation, classes)
    probabilities = model.predict_proba((x_score - mean) / deviation)
    place = np.clip(np.searchsorted(model.classes_, classes_score), 0, len(model.classes_) - 1)
    known = model.classes_[place] == classes_score
    likelihood = np.where(known, probabilities[np.arange(len(place)), place], 0.0)
    predicted = model.classes_[probabilities.argmax(axis=1)]
    return LogisticProbe(float(np.mean(predicted == classes_score)),
                         float(-np.log(np.clip(likelihood, 1e-15, 1.0)).mean()),
                         bool(np.all(model.n_iter_ < iterations)), predicted == classes_score)


def _both(fit: Rows, score: Rows, names: Names) -> tuple[np.ndarray, np.ndarray]:
    """The named blocks of fit and score rows, in units of a power of two near the largest of the fit rows."""
    if fit is score or any(fit.get(name) is score.get(name) is not None for name in listed(names)):
        raise InputError("fit and score are the same rows: score on rows that the fit has not seen")
    x = _side_by_side(fit, names)
    unit = power_of_two(np.abs(x).max())
    return x / unit, _side_by_side(score, names) / unit


def _side_by_side(rows: Rows, names: Names) -> np.ndarray:
    """The named blocks as one float64 array of shape (rows, units)."""
    if not count_rows(rows):
        raise InputError("no rows")
    names = listed(names)
    missing = [name for name in names if name not in rows]
    if missing or not names:
        raise InputError(f"no blocks {missing} among {', '.join(rows)}" if missing else "name at least one block")
    return np.hstack([_matrix(rows[name], f"block {name!r}") for name in names])


def _matrix(block: np.ndarray, name: str = "features") -> np.ndarray:
    block = floats(block, name)
    block = block[:, None] if block.ndim == 1 else block
    if block.ndim != 2 or not block.size:
        raise InputError(f"features need shape (rows, units), got {block.shape}")
    if not np.isfinite(block).all():
        raise InputError("features that are not finite (NaN or infinity)")
    return block


def _labels(rows: Rows, name: str) -> np.ndarray:
    if name not in rows:
        raise InputError(f"no block {name!r} among {', '.join(rows)}")
    labels = real(rows[name], f"block {name!r}")
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise InputError(f"labels must be a vector of whole numbers, got {labels.dtype} of shape {labels.shape}")
    return labels
