"""How far random starts of gradient descent agree: simulated at any scale of the start, and by the law of small ones.

The law (:mod:`theory.random_starts`) follows how the end of the descent from zero moves with its start. It is exact for small
starts; from large ones, descent takes another way.
"""

from collections.abc import Sequence

import numpy as np

from lab import checks
from lab.docstrings import arguments_as_in
from theory.random_starts import agreement, class_probability, logistic_response
from toy.polynomial.fit import descend, features
from toy.polynomial.model import SMALL, Boundaries, Boundary, Data, agreement_row, check, make_data, simulate


def law(data: Data, degree: int, init_scales: Sequence[float], target_loss: float = 0.01) -> list[Boundary]:
    """What the law of small starts says of gradient descent on polynomials.

    Parameters
    ----------
    data : Data
        Training points and probes.
    degree : int ≥ 1
        Degree of the classifiers.
    init_scales : floats > 0
        Root mean square weights s at the start.
    target_loss : float > 0, default 0.01
        Mean logistic loss at which descent stops.

    Returns
    -------
    list of Boundary
        One per scale: expected agreements, and the training error of the descent from zero.

    References
    ----------
    Derived in :mod:`theory.random_starts`.

    Examples
    --------
    >>> row = law(make_data(samples=8, degree=1, probes=50), 6, [0.01])[0]
    >>> row.pair_inside > 0.9, row.train_error
    (True, 0.0)
    """
    phi = features(data.x, degree)
    weights, response = logistic_response(phi, data.signs, target_loss)
    places = [(truth * (at @ weights), np.linalg.norm(at @ response, axis=1)) for at, truth in (
        (features(data.inside, degree), data.true_inside), (features(data.outside, degree), data.true_outside))]
    wrong = float(np.mean((phi @ weights) * data.signs <= 0))
    rows = []
    for s in init_scales:
        (truth_inside, pair_inside), (truth_outside, pair_outside) = (
            [float(probability(mean, s * spread).mean()) for probability in (class_probability, agreement)]
            for mean, spread in places)
        rows.append(Boundary(degree, "gradient-small", truth_inside, truth_outside, pair_inside, pair_outside, wrong))
    return rows


def descended(data: Data, degree: int, init_scale: float, draws: np.ndarray, target_loss: float = 0.01) -> Boundary:
    """Gradient descent on polynomials from several starts.

    Parameters
    ----------
    data : Data
        Training points and probes.
    degree : int ≥ 1
        Degree of the classifiers.
    init_scale : float > 0
        Root mean square weight s at the start.
    draws : (starts, F) float array
        Standard normal numbers.
    target_loss : float > 0, default 0.01
        Mean logistic loss at which descent stops (or after 50,000 steps).

    Returns
    -------
    Boundary
        Agreements, means over starts and pairs of them.

    References
    ----------
    The regimes of :mod:`toy.polynomial.fit`.

    Examples
    --------
    >>> draws = np.random.default_rng(0).standard_normal((3, 28))
    >>> descended(make_data(samples=8, degree=1, probes=50), 6, 0.01, draws).train_error
    0.0
    """
    phi = features(data.x, degree)
    weights = descend(phi, data.signs, init_scale * draws, target_loss)[0]
    inside, outside = (np.where(weights @ features(points, degree).T > 0, 1.0, -1.0) for points in (data.inside, data.outside))
    wrong = np.mean((weights @ phi.T) * data.signs <= 0)
    return agreement_row(degree, f"gradient, start {init_scale:g}", inside, outside, data, wrong)


@arguments_as_in(simulate)
def predict(degrees: Sequence[int] = (3, 4, 6, 8, 10), samples: int = 40, degree: int = 3, seed: int = 0,
            replica: int = 0, reach: float = 2.0, target_loss: float = 0.01) -> Boundaries:
    """What the law of small starts says of polynomial classifiers of several degrees, on one data set.

    Parameters
    ----------

    Returns
    -------
    Boundaries
        One row per degree, for the regime "gradient-small"; the others have no law here.

    Raises
    ------
    InputError
        For a degree below the truth's, or sizes out of range.

    References
    ----------
    Derived in :mod:`theory.random_starts`.

    Examples
    --------
    >>> few, many = predict(degrees=(3, 10))
    >>> few.pair_outside > many.pair_outside > 0.5  # ten features, all of them seen by 40 points, and 66
    True
    """
    checks.whole_numbers("degrees", degrees)
    check(degrees, (), samples, degree, seed, replica, reach, target_loss)
    data = make_data(samples, degree, reach=reach, seed=seed, replica=replica)
    return Boundaries(tuple(law(data, k, [SMALL], target_loss)[0] for k in degrees))
