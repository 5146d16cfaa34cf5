"""Nonlinear span error, by a kernel and by a small network, on a stored, bounded subset of the rows.

By a kernel: kernel ridge regression with the Gaussian kernel k(x, z) = exp(-|x - z|^2 / (2 h^2)), through Nystroem features
over landmarks Z (Williams & Seeger 2001), phi(x) = k(x, Z) K_ZZ^(-1/2). The linear span error from phi follows from its
moments, so ridge, centring and normalisation are those of :mod:`theory.measures.span`. With every fit row a landmark this is
kernel ridge regression with the centred kernel. The bandwidth h is a multiple of the median distance between landmarks, so the
measure is invariant under rotation, isotropic scaling and permutation of units.

A Gaussian kernel of bounded bandwidth does not contain the linear maps: in many dimensions with few rows it can leave more
unexplained than linear ridge does. Report both; the smaller is the better bound on what the source contains.

By a network, which includes linear maps: linear ridge, and a network with one hidden ReLU layer fitted to its residual, whose
output is shrunk by a factor in [0, 1] fitted on held-out rows.

Both are scored on rows that the fit has not seen; the same rows on both sides are refused. Each side is first divided by a power
of two near its scale.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from lab.arrays import power_of_two
from lab.errors import InputError
from theory.measures.logistic import LogisticProbe as LogisticProbe
from theory.measures.logistic import logistic_probe as logistic_probe
from theory.measures.ridge import ridge_map
from theory.measures.rows import Rows, as_matrix, fit_and_score
from theory.measures.span import RIDGES, choose_ridge, span_error
from theory.moments import Moments
from theory.moments.layout import Names

__all__ = ["NetworkSpan", "NonlinearSpan", "mlp_span_error", "nonlinear_span_error", "nystroem_map"]

_ROWS_AT_ONCE = 4096  # bound on the kernel matrix held between rows and landmarks


@dataclass(frozen=True)
class NonlinearSpan:
    """Nonlinear span error, with what was chosen on held-out fit rows.

    Attributes
    ----------
    error : float
        Share of the target's variance left unexplained on the score rows.
    ridge : float
        The chosen relative ridge.
    bandwidth : float
        The chosen bandwidth, in units of the median distance between landmarks.
    landmarks : int
        Number of landmarks.
    left : ndarray of shape (rows,)
        Squared residual of each score row.
    total : ndarray of shape (rows,)
        Squared distance of each score row from the fit's mean; ``error`` is the ratio of the two sums.

    Examples
    --------
    >>> NonlinearSpan(0.1, 1e-6, 2.0, 512, np.ones(2), np.full(2, 10.0))
    NonlinearSpan(error=0.1, ridge=1e-06, bandwidth=2.0, landmarks=512)
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
    x : ndarray of shape (rows, units)
        Finite, not all rows equal.
    rng : numpy.random.Generator
        Draws the landmarks.
    landmarks : int, default 512
        Number of landmarks, capped at the number of rows.
    bandwidth : float, default 1
        Above 0, in units of the median distance between different landmarks.

    Returns
    -------
    callable
        Maps (rows, units) to (rows, rank of the landmarks' kernel matrix) in float64.

    Raises
    ------
    InputError
        Fewer than two landmarks, a bandwidth that is not above 0, rows that are all equal.

    References
    ----------
    Williams & Seeger 2001.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(50, 2))
    >>> phi = nystroem_map(x, np.random.default_rng(1), landmarks=10)
    >>> phi(x).shape
    (50, 10)
    """
    x = as_matrix(x)
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
        rows = as_matrix(rows) / unit
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
    fit : mapping of str to ndarray of shape (rows, units)
        Rows that are fitted on.
    score : mapping of str to ndarray of shape (rows, units)
        Other rows, on which the fit is scored.
    source : str or sequence of str
        A block, or several side by side.
    target : str or sequence of str
        A block, or several side by side.
    rng : numpy.random.Generator
        Draws the landmarks and the validation rows.
    ridges : sequence of float
        Candidates, relative to the mean variance of the Nystroem features, above 0.
    bandwidths : sequence of float
        Candidates, in units of the median distance between landmarks.
    landmarks : int, default 512
        Number of landmarks, capped at the number of rows.
    validation : float, default 0.2
        Share of the fit rows on which ridge and bandwidth are chosen, in (0, 1).

    Returns
    -------
    NonlinearSpan

    Raises
    ------
    InputError
        The same rows to fit and to score, too few rows, parameters out of range, features that do not vary.

    References
    ----------
    Williams & Seeger 2001, for Nystroem features.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(200, 1))
    >>> rows = {"x": x, "y": x**2}
    >>> fit, score = ({name: block[part] for name, block in rows.items()} for part in (slice(100), slice(100, 200)))
    >>> span = nonlinear_span_error(fit, score, source="x", target="y", rng=np.random.default_rng(1), landmarks=20)
    >>> span.error < 0.1
    True
    """
    x, x_score = fit_and_score(fit, score, source)
    y, y_score = fit_and_score(fit, score, target)
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


def _moments(x: np.ndarray, y: np.ndarray, x_score: np.ndarray, y_score: np.ndarray, bandwidth: float, landmarks: int,
             rng: np.random.Generator) -> tuple[Moments, Moments, np.ndarray]:
    """Moments of Nystroem features and target on the fit and the score rows, and those features of the score rows."""
    features = nystroem_map(x, rng, landmarks=landmarks, bandwidth=bandwidth)
    phi = features(x_score)
    return Moments.from_samples({"phi": features(x), "target": y}), Moments.from_samples({"phi": phi, "target": y_score}), phi


def _errors(fit: Moments, score: Moments, ridges: Sequence[float]) -> np.ndarray:
    return span_error(fit, source="phi", target="target", ridge=ridges, score=score)


def _squares(*parts: np.ndarray) -> tuple[np.ndarray, ...]:
    """Sum of squares of each row of each part."""
    return tuple(np.einsum("ij,ij->i", part, part) for part in parts)


@dataclass(frozen=True)
class NetworkSpan:
    """Span error of ridge regression with a small network on its residual.

    Attributes
    ----------
    error : float
        Share of the target's variance left on the score rows, with the network.
    linear : float
        The same by ridge alone.
    ridge : float
        Relative ridge, chosen on held-out rows.
    used : float
        Shrinkage of the network's output, fitted on held-out rows, in [0, 1].
    left : ndarray of shape (rows,)
        Squared residual of each score row, with the network.
    linear_left : ndarray of shape (rows,)
        The same by ridge alone.
    total : ndarray of shape (rows,)
        Squared distance of each score row from the fit's mean.

    Examples
    --------
    >>> NetworkSpan(0.1, 0.3, 1e-6, 0.9, np.ones(1), np.ones(1), np.ones(1))
    NetworkSpan(error=0.1, linear=0.3, ridge=1e-06, used=0.9)
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
    fit : mapping of str to ndarray of shape (rows, units)
        Rows that are fitted on.
    score : mapping of str to ndarray of shape (rows, units)
        Other rows, on which the fit is scored.
    source : str or sequence of str
        A block, or several side by side.
    target : str or sequence of str
        A block, or several side by side.
    rng : numpy.random.Generator
        Draws the validation rows, and the network's initial weights and batches.
    ridges : sequence of float
        Relative ridges; the best on the validation rows is used.
    hidden : int, default 128
        Units of the network's one ReLU layer; scikit-learn's ``MLPRegressor`` trains it with early stopping.
    validation : float, default 0.2
        Share of the fit rows, in (0, 1), on which the ridge is chosen and the network's output shrunk.
    iterations : int, default 200
        Largest number of passes over the rows.

    Returns
    -------
    NetworkSpan

    Raises
    ------
    InputError
        The same rows to fit and to score, too few rows, parameters out of range, features that do not vary.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(200, 1))
    >>> rows = {"x": x, "y": 2 * x}
    >>> fit, score = ({name: block[part] for name, block in rows.items()} for part in (slice(100), slice(100, 200)))
    >>> span = mlp_span_error(fit, score, source="x", target="y", rng=np.random.default_rng(1), hidden=4, iterations=5)
    >>> span.linear < 1e-6
    True
    """
    x, x_score = fit_and_score(fit, score, source)
    y, y_score = fit_and_score(fit, score, target)
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
        warnings.simplefilter("ignore", ConvergenceWarning)  # early stopping keeps the best pass
        network.fit((x[kept] - mean) / deviation, left[0] / scale if y.shape[1] > 1 else left[0].ravel() / scale)
    held_output, output = (network.predict((a - mean) / deviation).reshape(len(a), -1) * scale for a in (x[held], x_score))
    own = float((held_output**2).sum())
    used = float(np.clip((held_output * left[1]).sum() / own, 0.0, 1.0)) if own > 0 else 0.0
    total = float(((y_score - y[kept].mean(0)) ** 2).sum())
    if not total > 0:
        raise InputError(f"target {target!r} does not vary on the score rows")
    residual = left[2] - used * output
    return NetworkSpan(float((residual**2).sum() / total), float((left[2] ** 2).sum() / total), ridge, used,
                       *_squares(residual, left[2], y_score - y[kept].mean(0)))
