"""Polynomial boundary: two classes in the plane, and what training determines outside the hull of the data.

The truth is the sign of a random polynomial of degree k₀ in the Legendre basis, shifted so that the classes are balanced. The n
training points are uniform in the unit disc without the tenth of it that is closest to the boundary. Inside means inside the hull
of the training points; outside, between the hull and radius ``reach``.

Classifiers of any degree k ≥ k₀ can separate the classes exactly. How far do they agree with the truth and with each other?
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from lab import checks
from lab.docstrings import arguments_as_in
from lab.errors import ArgumentError
from lab.names import Keyed, renamed
from lab.results import Results
from lab.streams import generator
from toy.mlp.kernels import ADAM
from toy.mlp.train import initialise, train
from toy.polynomial.fit import REGIMES, descend, features, max_margin, minimum_norm

__all__ = ["REGIMES", "Boundaries", "Boundary", "Data", "make_data", "simulate", "simulate_networks"]

SMALL, LARGE = 0.01, 10.0  # root mean square weight at the small and large starts of gradient descent
STARTS = 4  # random starts per classifier


@dataclass(frozen=True)
class Data(Keyed, Results, axes="x: sample axis; signs: sample; inside: inner axis; outside: outer axis; true_inside: inner; "
           "true_outside: outer", rows="sample"):
    """Training points and probes of one truth.

    Attributes
    ----------
    x : (n, 2) float array
        Training points.
    signs : (n,) float array
        Their classes, ±1.
    inside : (·, 2) float array
        Probes inside the hull of the training points.
    outside : (·, 2) float array
        Probes outside.
    true_inside : (·,) float array
        Classes ±1 of the probes inside.
    true_outside : (·,) float array
        Classes ±1 of the probes outside.

    Examples
    --------
    >>> data = make_data(samples=8, degree=1, probes=50)
    >>> data.x.shape, len(data.inside) + len(data.outside)
    ((8, 2), 50)
    """

    x: np.ndarray
    signs: np.ndarray
    inside: np.ndarray
    outside: np.ndarray
    true_inside: np.ndarray
    true_outside: np.ndarray


@dataclass(frozen=True)
class Boundary(Results):
    """Agreement of one model class under one training regime on one data set.

    Attributes
    ----------
    size : int
        Degree, or width of the network.
    regime : str
        Training regime.
    truth_inside : float in [0, 1]
        Share of the points inside where the classifier agrees with the truth, mean over starts.
    truth_outside : float in [0, 1]
        The same outside.
    pair_inside : float in [0, 1]
        Share of the points inside where two starts agree, mean over pairs; NaN where the solution is unique.
    pair_outside : float in [0, 1]
        The same outside.
    train_error : float in [0, 1]
        Share of misclassified training points, mean over starts.

    Examples
    --------
    >>> row = simulate(degrees=(2,), degree=2, samples=12).rows[0]
    >>> row.size, row.regime, row.train_error
    (2, 'max-margin', 0.0)
    """

    size: int
    regime: str
    truth_inside: float
    truth_outside: float
    pair_inside: float
    pair_outside: float
    train_error: float


def _disc(rng, n, inner=0.0, outer=1.0):
    radius = np.sqrt(rng.uniform(inner**2, outer**2, n))
    angle = rng.uniform(0, 2 * np.pi, n)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def _check_data(samples, degree, seed, replica, reach, probes=4000, attempt=0) -> None:
    for name, value, least, most in (("samples", samples, 3, 10**6), ("degree", degree, 1, 60), ("probes", probes, 10, 10**7),
                                     ("replica", replica, 0, checks.MOST), ("attempt", attempt, 0, checks.MOST)):
        checks.whole_number(name, value, least, most)
    checks.seed(seed)
    checks.real_number("reach", reach, above=1)  # beyond the disc of the data


@dataclass(frozen=True)
class Boundaries(Results, axes="rows: row"):
    """Results on one data set: one row per model class and training regime.

    Attributes
    ----------
    rows : tuple of Boundary
        Iterating over the object gives the rows, too.

    Examples
    --------
    >>> [row.regime for row in simulate(degrees=(2,), degree=2, samples=12)]
    ['max-margin', 'minimum-norm', 'gradient-small', 'gradient-large']
    """

    rows: tuple[Boundary, ...]

    def __iter__(self) -> Iterator[Boundary]:
        return iter(self.rows)

    def plot(self, axes=None, **style):
        """Agreement with the truth outside the hull, by size, one line per training regime; returns the axes."""
        from lab.pictures import drawing

        with drawing(axes) as axes:
            for regime in dict.fromkeys(row.regime for row in self):
                rows = [row for row in self if row.regime == regime]
                axes.plot([row.size for row in rows], [row.truth_outside for row in rows], "o-", **{"label": regime, **style})
            axes.set(xlabel="degree, or width", ylabel="agrees with the truth outside the hull")
            axes.legend()
        return axes


def check(degrees=(), widths=(), samples=40, degree=3, seed=0, replica=0, reach=2.0, target_loss=0.01) -> None:
    """Refuse arguments that :func:`simulate` (degrees) and :func:`simulate_networks` (widths) cannot take."""
    _check_data(samples, degree, seed, replica, reach)
    checks.real_number("target_loss", target_loss, above=0)
    if len(degrees) and min(checks.whole_numbers("degrees", degrees, most=60)) < degree:
        raise ArgumentError(f"a classifier of degree {min(degrees)} cannot represent a truth of degree {degree}", "degrees")
    if len(widths):
        checks.fits_memory(starts=STARTS, width=max(checks.whole_numbers("widths", widths)), numbers_a_unit=5)


def make_data(samples: int = 40, degree: int = 3, probes: int = 4000, reach: float = 2.0, seed: int = 0,
              replica: int = 0, attempt: int = 0) -> Data:
    """One truth, its training points, and probes inside and outside their hull.

    Truths that give all training points one class are skipped; the next ``attempt`` has streams of its own.

    Parameters
    ----------
    samples : int ≥ 3, default 40
        Training points n.
    degree : int in 1 … 60, default 3
        Degree k₀ of the truth.
    probes : int ≥ 10, default 4000
        Points at which classifiers are compared, inside and outside together.
    reach : float > 1, default 2
        Radius of the disc of the probes.
    seed : int in 0 … 2⁶⁴ − 1, default 0
        Key of all streams.
    replica : int ≥ 0, default 0
        Number of the data set, which has streams of its own.
    attempt : int ≥ 0, default 0
        Number of the first truth to try.

    Returns
    -------
    Data
        Points and classes. (Its fields can still be read by key, as when this was a dictionary.)

    Raises
    ------
    InputError
        For fewer than 3 samples, a degree below 1, or a reach that is not beyond the unit disc.

    References
    ----------
    Constructed here, for the question of S3.

    Examples
    --------
    >>> data = make_data(samples=5, degree=1, probes=20)
    >>> data.signs.size, data.true_outside.size == len(data.outside)
    (5, True)
    """
    from scipy.spatial import Delaunay

    _check_data(samples, degree, seed, replica, reach, probes, attempt)
    rng = generator(seed, "polynomial", "truth", replica, attempt)
    truth = rng.standard_normal((degree + 1) * (degree + 2) // 2)
    values = features(_disc(rng, 20_000), degree) @ truth
    truth[0] -= np.median(values)  # the first feature is the constant
    edge = np.quantile(np.abs(values - np.median(values)), 0.1)
    rng = generator(seed, "polynomial", "data", replica, attempt)
    x = _disc(rng, 4 * samples + 40)
    p = features(x, degree) @ truth
    keep = np.flatnonzero(np.abs(p) > edge)[:samples]
    x, signs = x[keep], np.sign(p[keep])
    if abs(signs.sum()) == len(signs):  # one class only: nothing to separate; move on to the next draw
        return make_data(samples, degree, probes, reach, seed, replica, attempt + 1)
    test = _disc(generator(seed, "polynomial", "probes", replica, attempt), probes, 0.0, reach)
    within = Delaunay(x).find_simplex(test) >= 0
    classes = np.where(features(test, degree) @ truth > 0, 1.0, -1.0)
    return Data(x, signs, test[within], test[~within], classes[within], classes[~within])


def _pairs(classes: np.ndarray) -> float:
    """Share of points on which two starts agree, mean over pairs; ``classes`` (starts, points) ±1."""
    count = len(classes)
    if count < 2:
        return np.nan
    total = classes.sum(axis=0)  # total² = Σ_ab c_a c_b, of which ``count`` terms are a = b
    return float(np.mean(0.5 + (total**2 - count) / (2 * count * (count - 1))))


def agreement_row(size: int, regime: str, inside: np.ndarray, outside: np.ndarray, data: Data, train_error) -> Boundary:
    """Row of one model class and regime; ``inside`` and ``outside`` (starts, points) are its classes ±1 at the probes."""
    return Boundary(size, regime, float(np.mean(inside == data.true_inside)), float(np.mean(outside == data.true_outside)),
                    _pairs(inside), _pairs(outside), float(train_error))


@renamed(loss_goal="target_loss")
def simulate(degrees: Sequence[int] = (3, 4, 6, 8, 10), samples: int = 40, degree: int = 3, seed: int = 0,
             replica: int = 0, reach: float = 2.0, target_loss: float = 0.01) -> Boundaries:
    """Polynomial classifiers of several degrees under all regimes, on one data set.

    Parameters
    ----------
    degrees : ints in ``degree`` … 60, default (3, 4, 6, 8, 10)
        Degrees of the classifiers, none below the truth's.
    samples : int ≥ 3, default 40
        Training points.
    degree : int in 1 … 60, default 3
        Degree of the truth.
    seed : int in 0 … 2⁶⁴ − 1, default 0
        Key of all streams.
    replica : int ≥ 0, default 0
        Number of the data set, which has streams of its own.
    reach : float > 1, default 2
        Outer radius of the ring that counts as outside.
    target_loss : float > 0, default 0.01
        Mean logistic loss at which gradient descent stops (or after 50,000 steps).

    Returns
    -------
    Boundaries
        One row per degree and regime.

    Raises
    ------
    InputError
        For a degree below the truth's, or sizes out of range.

    References
    ----------
    S3's question; the data are described in the docstring of :mod:`toy.polynomial.model`.

    Examples
    --------
    >>> for row in simulate(degrees=(2,), degree=2, samples=12):
    ...     print(f"{row.regime:<15}{row.train_error:.2f}")
    max-margin     0.00
    minimum-norm   0.00
    gradient-small 0.00
    gradient-large 0.00
    """
    checks.whole_numbers("degrees", degrees)
    check(degrees, (), samples, degree, seed, replica, reach, target_loss)
    data = make_data(samples, degree, reach=reach, seed=seed, replica=replica)
    rows = []
    for k in degrees:
        phi = features(data.x, k)
        starts = generator(seed, "polynomial", "weights", k, replica).standard_normal((STARTS, phi.shape[1]))
        solutions = {
            "max-margin": max_margin(phi, data.signs)[None],
            "minimum-norm": minimum_norm(phi, data.signs)[None],
            "gradient-small": descend(phi, data.signs, SMALL * starts, target_loss)[0],
            "gradient-large": descend(phi, data.signs, LARGE * starts, target_loss)[0],
        }
        probes = features(data.inside, k), features(data.outside, k)
        for regime, weights in solutions.items():
            inside, outside = (np.where(weights @ points.T > 0, 1.0, -1.0) for points in probes)
            wrong = np.mean((weights @ phi.T) * data.signs <= 0)
            rows.append(agreement_row(k, regime, inside, outside, data, wrong))
    return Boundaries(tuple(rows))


@renamed(rate="learning_rate", loss_goal="target_loss")
@arguments_as_in(simulate)
def simulate_networks(widths: Sequence[int] = (4, 16, 64, 256), samples: int = 40, degree: int = 3, seed: int = 0,
                      replica: int = 0, reach: float = 2.0, epochs: int = 4000, learning_rate: float = 3e-3,
                      target_loss: float = 0.01) -> Boundaries:
    """One-hidden-layer networks of several widths on the same data, from small and from large starts.

    Parameters
    ----------
    widths : ints ≥ 1, default (4, 16, 64, 256)
        Hidden units.
    epochs : int ≥ 1, default 4000
        Steps of AdamW on all samples, at most.
    learning_rate : float > 0, default 3e-3
        Learning rate of AdamW.
    target_loss : float > 0, default 0.01
        An epoch whose mean cross-entropy is at most this is the last.

    Returns
    -------
    Boundaries
        One row per width and scale of the start.

    Raises
    ------
    InputError
        For sizes out of range or beyond the memory.

    References
    ----------
    S3's question; the data are described in the docstring of :mod:`toy.polynomial.model`.

    Examples
    --------
    >>> for row in simulate_networks(widths=(4,), samples=8, epochs=20):
    ...     print(row.size, row.regime)
    4 network-small
    4 network-large
    """
    checks.whole_numbers("widths", widths)
    check((), widths, samples, degree, seed, replica, reach, target_loss)
    checks.whole_number("epochs", epochs)
    checks.real_number("learning_rate", learning_rate, above=0)
    data = make_data(samples, degree, reach=reach, seed=seed, replica=replica)
    labels = (data.signs > 0).astype(np.int64)
    rows = []
    for width in widths:
        for regime, init_scale in (("network-small", 0.3), ("network-large", 3.0)):
            address = ("polynomial", regime, replica)
            start = initialise(2, width, 2, STARTS, seed, *address, init_scale=init_scale)
            done = train(start, data.x, labels, epochs=epochs, batch_size=samples,
                         learning_rate=learning_rate, optimizer=ADAM, target_loss=target_loss, seed=seed, address=address)
            inside, outside = (np.where(done(points).argmax(2) == 1, 1.0, -1.0) for points in (data.inside, data.outside))
            wrong = np.mean(done(data.x).argmax(2) != labels)
            rows.append(agreement_row(width, regime, inside, outside, data, wrong))
    return Boundaries(tuple(rows))
