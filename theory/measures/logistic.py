"""Logistic probe: a linear classifier on features. Its accuracy is not a function of moments, so it needs rows."""

import warnings
from dataclasses import dataclass, field

import numpy as np

from lab.errors import InputError
from theory.measures.rows import Rows, class_labels, fit_and_score
from theory.moments.layout import Names

__all__ = ["LogisticProbe", "logistic_probe"]


@dataclass(frozen=True)
class LogisticProbe:
    """Multinomial logistic regression on features, scored on other rows.

    Attributes
    ----------
    accuracy : float
        Share of score rows whose class is predicted correctly.
    log_loss : float
        Mean negative log-likelihood in nats; a class that no fit row has gets probability 1e-15.
    converged : bool
        Whether the fit reached its tolerance.
    right : ndarray of bool, shape (rows,)
        Whether the prediction is right for each score row.

    Examples
    --------
    >>> LogisticProbe(0.5, 0.69, True, np.array([True, False])).accuracy
    0.5
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
    fit : mapping of str to ndarray
        Rows that are fitted on: blocks of shape (rows, units), and classes of shape (rows,).
    score : mapping of str to ndarray
        Other rows, on which the fit is scored.
    features : str or sequence of str
        Blocks that the probe reads.
    labels : str, default "labels"
        Name of the vector of classes, which are whole numbers.
    penalty : float, default 1
        Weight of |w|²/2 against the summed log-likelihood: scikit-learn's 1/C, above 0.
    iterations : int, default 1000
        Largest number of iterations.

    Returns
    -------
    LogisticProbe

    Raises
    ------
    InputError
        The same rows to fit and to score, parameters out of range, fewer than two classes.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(200, 2))
    >>> rows = {"x": x, "labels": (x[:, 0] > 0).astype(int)}
    >>> fit, score = ({name: block[part] for name, block in rows.items()} for part in (slice(100), slice(100, 200)))
    >>> logistic_probe(fit, score, features="x").accuracy > 0.9
    True
    """
    if not penalty > 0 or iterations < 1:
        raise InputError(f"a logistic probe needs penalty > 0 and iterations >= 1: {penalty}, {iterations}")
    x, x_score = fit_and_score(fit, score, features)
    classes, classes_score = class_labels(fit, labels), class_labels(score, labels)
    if len(np.unique(classes)) < 2:
        raise InputError("a logistic probe needs at least two classes among the fit rows")
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    mean, deviation = x.mean(axis=0), x.std(axis=0)
    deviation[deviation <= 1e-12 * np.abs(mean)] = 1.0  # units that do not vary
    model = LogisticRegression(C=1 / penalty, max_iter=iterations)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # reported as ``converged``
        model.fit((x - mean) / deviation, classes)
    probabilities = model.predict_proba((x_score - mean) / deviation)
    place = np.clip(np.searchsorted(model.classes_, classes_score), 0, len(model.classes_) - 1)
    known = model.classes_[place] == classes_score
    likelihood = np.where(known, probabilities[np.arange(len(place)), place], 0.0)
    predicted = model.classes_[probabilities.argmax(axis=1)]
    return LogisticProbe(float(np.mean(predicted == classes_score)),
                         float(-np.log(np.clip(likelihood, 1e-15, 1.0)).mean()),
                         bool(np.all(model.n_iter_ < iterations)), predicted == classes_score)
