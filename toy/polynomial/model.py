"""Polynomial boundary: two classes in the plane, and what is left to training outside the hull of the data.

The truth is the sign of a random polynomial of degree k₀ in the Legendre basis, shifted so that the classes are even. The
n training points are uniform in the unit disc, but for the tenth of the disc that is closest to the boundary. Inside means
inside the hull of the training points; outside, in the ring from the hull to radius ``reach``.

Classifiers of any degree k ≥ k₀ separate the classes exactly. How far do they agree, with the truth and with each other?
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from lab import checks
from lab.errors import ArgumentError
from lab.names import renamed
from lab.results import Results
from lab.streams import generator
from toy.mlp import ADAM, initialise, train
from toy.polynomial.fit import REGIMES, descend, features, max_margin, minimum_norm

__all__ = ["REGIMES", "Boundaries", "Boundary", "make_data", "simulate", "simulate_networks"]

SMALL, LARGE = 0.01, 10.0  # scales of the starts of gradient descent, in root mean square weight
STARTS = 4


@dataclass(frozen=True)
class Boundary(Results):
    """Agreement of one model class under one training regime on one data set.

    Attributes
    ----------
    size : degree, or width of the network.
    regime : how it was trained.
    truth_inside, truth_outside : share of points where the classifier says what the truth says (mean over starts).
    pair_inside, pair_outside : the same between two starts; NaN where there is one solution only.
    train_error : share of training points that are wrong, mean over starts.
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
    """What one data set says: a row a model class and training regime.

    Attributes
    ----------
    rows : tuple of :class:`Boundary`.
    """

    rows: tuple[Boundary, ...]

    def __iter__(self) -> Iterator[Boundary]:
        return iter(self.rows)

    def plot(self, axes=None, **style):
        """Agreement with the truth outside the hull, by size, a line for every training regime; returns the axes."""
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
        raise ArgumentError(f"a classifier of degree {min(degrees)} cannot hold a truth of degree {degree}", "degrees")
    if len(widths):
        checks.fits_memory(starts=STARTS, width=max(checks.whole_numbers("widths", widths)), numbers_a_unit=5)


def make_data(samples: int = 40, degree: int = 3, probes: int = 4000, reach: float = 2.0, seed: int = 0,
              replica: int = 0, attempt: int = 0) -> dict[str, np.ndarray]:
    """One truth, its training points, and probes inside and outside their hull.

    Truths that give all training points one class are passed over: the next ``attempt`` has streams of its own.

    Returns
    -------
    dict : ``x`` (n, 2), ``signs`` (n,) ±1, ``inside`` and ``outside`` (·, 2), with ``true_inside``, ``true_outside`` ±1.

    Raises
    ------
    InputError
        For fewer than 3 samples, a degree below 1, or a reach that is not beyond the disc.
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
    said = np.where(features(test, degree) @ truth > 0, 1.0, -1.0)
    return {"x": x, "signs": signs, "inside": test[within], "outside": test[~within],
            "true_inside": said[within], "true_outside": said[~within]}


def _agreement(size, regime, inside, outside, data, train_error) -> Boundary:
    """inside, outside : (starts, points) classes ±1."""
    def pairs(said):
        count = len(said)
        if count < 2:
            return np.nan
        total = said.sum(axis=0)
        # mean over pairs of the share of points on which both say the same
        return float(np.mean(0.5 + (total**2 - count) / (2 * count * (count - 1))))

    return Boundary(size, regime, float(np.mean(inside == data["true_inside"])),
                    float(np.mean(outside == data["true_outside"])), pairs(inside), pairs(outside), float(train_error))


@renamed(loss_goal="target_loss")
def simulate(degrees: Sequence[int] = (3, 4, 6, 8, 10), samples: int = 40, degree: int = 3, seed: int = 0,
             replica: int = 0, reach: float = 2.0, target_loss: float = 0.01) -> Boundaries:
    """Polynomial classifiers of several degrees under all regimes, on one data set.

    Parameters
    ----------
    degrees : ints in ``degree`` … 60, default (3, 4, 6, 8, 10)
        Of the classifiers, none below the truth's.
    samples : int ≥ 3, default 40
        Training points.
    degree : int in 1 … 60, default 3
        Of the truth.
    seed : int in 0 … 2⁶⁴ − 1, default 0
        Key of all streams.
    replica : int ≥ 0, default 0
        Number of the data set, each of which has streams of its own.
    reach : float > 1, default 2
        Outer radius of the ring that counts as outside.
    target_loss : float > 0, default 0.01
        Mean logistic loss at which gradient descent stops (or after 50,000 steps).

    Returns
    -------
    Boundaries

    Raises
    ------
    InputError
        For a degree below the truth's, or impossible data.
    """
    checks.whole_numbers("degrees", degrees)
    check(degrees, (), samples, degree, seed, replica, reach, target_loss)
    data = make_data(samples, degree, reach=reach, seed=seed, replica=replica)
    found = []
    for k in degrees:
        phi = features(data["x"], k)
        starts = generator(seed, "polynomial", "weights", k, replica).standard_normal((STARTS, phi.shape[1]))
        solutions = {
            "max-margin": max_margin(phi, data["signs"])[None],
            "minimum-norm": minimum_norm(phi, data["signs"])[None],
            "gradient-small": descend(phi, data["signs"], SMALL * starts, target_loss)[0],
            "gradient-large": descend(phi, data["signs"], LARGE * starts, target_loss)[0],
        }
        inside, outside = features(data["inside"], k), features(data["outside"], k)
        for regime, weights in solutions.items():
            said = [np.where(weights @ points.T > 0, 1.0, -1.0) for points in (inside, outside)]
            wrong = np.mean((weights @ phi.T) * data["signs"] <= 0)
            found.append(_agreement(k, regime, *said, data, wrong))
    return Boundaries(tuple(found))


@renamed(rate="learning_rate", loss_goal="target_loss")
def simulate_networks(widths: Sequence[int] = (4, 16, 64, 256), samples: int = 40, degree: int = 3, seed: int = 0,
                      replica: int = 0, reach: float = 2.0, epochs: int = 4000, learning_rate: float = 3e-3,
                      target_loss: float = 0.01) -> Boundaries:
    """One-hidden-layer networks of several widths on the same data, from small and from large starts.

    Parameters
    ----------
    widths : ints ≥ 1, default (4, 16, 64, 256)
        Hidden units.
    samples, degree, seed, replica, reach
        As in :func:`simulate`.
    epochs : int ≥ 1, default 4000
        Steps of AdamW on all samples, at most.
    learning_rate : float > 0, default 3e-3
        Of AdamW.
    target_loss : float > 0, default 0.01
        An epoch whose mean cross-entropy is at most this is the last.

    Returns
    -------
    Boundaries

    Raises
    ------
    InputError
        For impossible sizes or data.
    """
    checks.whole_numbers("widths", widths)
    check((), widths, samples, degree, seed, replica, reach, target_loss)
    checks.whole_number("epochs", epochs)
    checks.real_number("learning_rate", learning_rate, above=0)
    data = make_data(samples, degree, reach=reach, seed=seed, replica=replica)
    labels = (data["signs"] > 0).astype(np.int64)
    found = []
    for width in widths:
        for regime, init_scale in (("network-small", 0.3), ("network-large", 3.0)):
            address = ("polynomial", regime, replica)
            start = initialise(2, width, 2, STARTS, seed, *address, init_scale=init_scale)
            done = train(start, data["x"], labels, epochs=epochs, batch_size=samples,
                         learning_rate=learning_rate, optimizer=ADAM, target_loss=target_loss, seed=seed, address=address)
            said = [np.where(done(data[side]).argmax(2) == 1, 1.0, -1.0) for side in ("inside", "outside")]
            wrong = np.mean(done(data["x"]).argmax(2) != labels)
            found.append(_agreement(width, regime, *said, data, wrong))
    return Boundaries(tuple(found))
