"""Critical points with their heights and indices, beside the predictions of random matrices.

Searches (:func:`theory.critical_points.search`) start at points of many heights and minimise the norm of the gradient. A point
is critical if that norm is below ``CRITICAL``; searches that stop above it are counted and left out. Points of the same height
and index are taken as one (in the ReLU landscape they are one orbit of the symmetry): it counts once, however many searches ended
there, so that wide basins weigh no more than narrow ones. The index is the number of Hessian eigenvalues below −1e-8 of the
largest in size.

Each replica gives two numbers. ``fall`` is how much larger the share of negative directions is one standard deviation of the loss
above the mean than one below (twice the standard deviation times the slope of the share over the loss). ``coins`` is the
variance of the number of negative directions among points of one height, over the N p (1 − p) of N coins with their mean share p.
The share at a height is a parabola fitted to all points.
"""

from dataclasses import dataclass

import numpy as np

from lab import checks
from lab.docstrings import arguments_as_in
from lab.results import Results
from lab.streams import generator
from theory.critical_points import coins, distinct, fall, index, search
from theory.random_landscape import index_at_energy, index_distribution
from toy.critical_points import LANDSCAPES
from toy.critical_points.landscapes import field, relu, starts

CRITICAL = 1e-9  # norm of the gradient below which a point is critical
KINK = 1e-3  # the ReLU loss has no second derivative where a unit vanishes: points with a shorter unit are left out
MOST = {"relu": 7, "field": 40}  # sizes: the Hessian has k⁴ entries, or N²
MAX_STEPS = 300


@dataclass(frozen=True)
class CriticalPoints(Results, axes="replica loss index share: point; found fall coins: replica", rows="point",
                     picture="share ~ loss"):
    """Distinct critical points of all replicas, one after the other.

    Attributes
    ----------
    replica : (P,) int array
        Replica to which each point belongs.
    loss : (P,) array
        Height of each point (φ/N for a field).
    index : (P,) int array
        Negative directions of each point.
    directions : int
        Number N of directions.
    starts : int
        Searches per replica.
    found : (replicas,) int array
        Searches that ended at a critical point.

    Examples
    --------
    >>> points = CriticalPoints(replica=np.zeros(2, int), loss=np.array([-1.0, 1.0]), index=np.array([0, 1]), directions=2,
    ...                         starts=5, found=np.array([4]))
    >>> points.share.tolist()
    [0.0, 0.5]
    """

    replica: np.ndarray
    loss: np.ndarray
    index: np.ndarray
    directions: int
    starts: int
    found: np.ndarray

    @property
    def share(self) -> np.ndarray:
        """(P,) share of negative directions."""
        return self.index / self.directions

    def _each(self, number) -> np.ndarray:
        return np.array([number(self.replica == r) for r in range(len(self.found))])

    @property
    def fall(self) -> np.ndarray:
        """(replicas,) share of negative directions one standard deviation of the loss above its mean, minus one below."""
        return self._each(lambda own: fall(self.loss[own], self.share[own]))

    @property
    def coins(self) -> np.ndarray:
        """(replicas,) variance of the index at given loss over that of as many coins of the same mean; NaN for too few points."""
        return self._each(lambda own: coins(self.loss[own], self.index[own], self.directions))


@dataclass(frozen=True)
class Prediction(Results, theory=True):
    """Predictions of random matrices for a Gaussian field; None for the ReLU landscape, whose Hessian is not random.

    Attributes
    ----------
    fall : float or None
        Difference of the shares of negative directions at energies one standard deviation of the field, √N/N, above and
        below its mean (N → ∞).
    coins : float or None
        Variance of the index of a GOE matrix over that of as many fair coins.

    Examples
    --------
    >>> predict("relu", size=4).fall is None
    True
    """

    fall: float | None
    coins: float | None


def check(landscape, size, starts, replicas, seed=0) -> None:
    """Refuse arguments that :func:`simulate` cannot take."""
    checks.choice("landscape", landscape, LANDSCAPES)
    checks.whole_number("size", size, 2, MOST[landscape])
    checks.whole_number("starts", starts, 2)
    checks.whole_number("replicas", replicas)
    checks.seed(seed)
    n = size * size if landscape == "relu" else size
    checks.fits_memory(starts=starts, rows=n, columns=4 * n)


def simulate(landscape: str = "relu", size: int = 4, starts: int = 60, replicas: int = 2, seed: int = 0,
             max_steps: int = MAX_STEPS) -> CriticalPoints:
    """Search for critical points.

    Parameters
    ----------
    landscape : {"relu", "field"}, default "relu"
        The landscape, see :mod:`toy.critical_points.landscapes`.
    size : int in 2 … 7 (relu) or 2 … 40 (field), default 4
        Units k of teacher and student (N = k²), or the dimension N of the field.
    starts : int ≥ 2, default 60
        Searches per replica.
    replicas : int ≥ 1, default 2
        Repetitions, each with its own starts and its own field.
    seed : int in 0 … 2⁶⁴ − 1, default 0
        Replica r has streams of its own for every size.
    max_steps : int ≥ 1, default 300
        Largest number of steps of a search.

    Returns
    -------
    CriticalPoints
        Distinct points, replica by replica.

    Raises
    ------
    InputError
        For parameters outside these ranges.

    References
    ----------
    The field is that of Bray & Dean 2007 (:mod:`theory.random_landscape`); the ReLU landscape that of Safran & Shamir 2018.

    Examples
    --------
    >>> points = simulate("field", size=2, starts=6, replicas=1)
    >>> points.loss.round(2).tolist()
    [-1.88, -0.28, 0.3, 0.44, 0.69, 1.77]
    >>> points.index.tolist()  # the higher the point, the more directions lead down
    [0, 1, 1, 1, 2, 2]
    """
    check(landscape, size, starts, replicas, seed)
    checks.whole_number("max_steps", max_steps)
    parts, found = [], np.zeros(replicas, dtype=np.int64)
    for r in range(replicas):
        loss, index, found[r] = _replica(landscape, size, starts, seed, r, max_steps)
        parts.append((np.full(loss.size, r), loss, index))
    whose, losses, indices = (np.concatenate(column) for column in zip(*parts))
    return CriticalPoints(whose, losses, indices,
                          size * size if landscape == "relu" else size, starts, found)


def _replica(landscape, size, count, seed, replica, max_steps) -> tuple[np.ndarray, np.ndarray, int]:
    """Heights and indices of one replica's distinct critical points, and how many searches ended at one."""
    rng = generator(seed, "critical-points", "starts", landscape, size, replica)
    value, slopes = relu(size) if landscape == "relu" else field(
        size, generator(seed, "critical-points", "waves", size, replica))
    points, norms = search(slopes, starts(landscape, size, count, slopes, rng), CRITICAL / 10, max_steps)
    points = points[norms < CRITICAL]
    if landscape == "relu":
        points = points[np.linalg.norm(points.reshape(-1, size, size), axis=2).min(axis=1, initial=np.inf) > KINK]
    if len(points) == 0:
        return np.empty(0), np.empty(0, dtype=np.int64), 0
    return *distinct(value(points), index(np.linalg.eigvalsh(slopes(points)[1]))), len(points)


@arguments_as_in(simulate)
def predict(landscape: str = "relu", size: int = 4, starts: int = 60, replicas: int = 2, seed: int = 0) -> Prediction:
    """What random matrices predict for a Gaussian field; for the ReLU landscape they predict nothing.

    Parameters
    ----------
    starts : int ≥ 2, default 60
        Not used: theory does not depend on it.
    replicas : int ≥ 1, default 2
        Not used, likewise.
    seed : int in 0 … 2⁶⁴ − 1, default 0
        Not used, likewise.

    Returns
    -------
    Prediction
        None throughout for the ReLU landscape.

    Raises
    ------
    InputError
        As :func:`simulate`.

    References
    ----------
    Bray & Dean 2007 for the index at an energy; GOE matrices for its variance (:mod:`theory.random_landscape`).

    Examples
    --------
    >>> theory = predict("field", size=4)
    >>> round(theory.fall, 4), round(theory.coins, 4)
    (0.315, 0.3732)
    """
    check(landscape, size, starts, replicas, seed)
    if landscape == "relu":
        return Prediction(None, None)
    energy, k, p = 1 / np.sqrt(size), np.arange(size + 1), index_distribution(size)
    return Prediction(float(index_at_energy(energy) - index_at_energy(-energy)), float((p @ k**2 - (p @ k) ** 2) / (size / 4)))
