"""The spurious minima that runs end in: loss levels, which neurons anti-align with which teacher units, spectra, escape.

The landscape is symmetric under permutations of the students and of the teacher units, so minima come in orbits with one
loss, one Hessian spectrum and one escape index each: a *level*. Losses closer than ``RESOLUTION`` are one level; spectrum
and index are computed at its first member, and the index at every member if asked.

A neuron's role follows from its largest cosine in size with a teacher unit, cos(w_i, e_m): *aligned* with m if it is at
least ½, *anti-aligned* if it is at most −½, *shared* otherwise (it serves several units).
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from lab.arrays import floats
from lab.errors import InputError
from lab.names import renamed
from theory.landscape import hessian, negative_directions, own_curvature
from toy.relu_landscape.model import Landscape

RESOLUTION = 1e-7  # of losses; converged runs of one orbit agree to about 1e-12
ALIGNED, ANTI_ALIGNED, SHARED = 1, -1, 0


@dataclass(frozen=True)
class Level:
    """One loss level of spurious minima.

    Attributes
    ----------
    loss : float
        F, mean over the runs.
    count : int
        Runs that ended there.
    member : int
        Index of the first of them.
    kind : str
        Type in words, see :func:`describe`.
    aligned : int
        Number of aligned neurons.
    anti_aligned : int
        Number of anti-aligned neurons.
    shared : int
        Number of neurons that serve several teacher units.
    pairs : tuple of (neuron, teacher unit)
        Anti-aligned neurons of the first member, each with its teacher unit.
    escape_index : (n,) int array
        Negative directions opened by splitting each neuron of the first member.
    index : int or None
        Negative Hessian directions of the point itself (0 at a minimum); None if no spectrum was requested.
    spectrum : (n d,) array or None
        Hessian eigenvalues, ascending; None if not requested.

    Examples
    --------
    >>> from toy.relu_landscape.model import initial_weights, simulate
    >>> start = initial_weights(6, 6, 1, 0, first_replica=72)  # one of the few that end in a spurious minimum of six units
    >>> level, = levels(simulate(6, 6, start=start))
    >>> level.kind, level.pairs, level.index, round(level.lowest_curvature, 4)
    ('5 aligned, 1 anti-aligned', ((2, 5),), 0, 0.0047)
    """

    loss: float
    count: int
    member: int
    kind: str
    aligned: int
    anti_aligned: int
    shared: int
    pairs: tuple[tuple[int, int], ...]
    escape_index: np.ndarray = field(repr=False)
    index: int | None
    spectrum: np.ndarray | None = field(repr=False)

    @property
    def lowest_curvature(self) -> float:
        """Smallest Hessian eigenvalue; NaN if no spectrum was requested."""
        return np.nan if self.spectrum is None else float(self.spectrum[0])


def roles(weights, teacher_width: int) -> tuple[np.ndarray, np.ndarray]:
    """Role and partner of every neuron.

    Parameters
    ----------
    weights : (n, d). teacher_width : k, units along the first k axes.

    Returns
    -------
    role : (n,) ALIGNED, ANTI_ALIGNED or SHARED. partner : (n,) the teacher unit of largest |cos|.
    """
    weights = floats(weights, "weights")
    if weights.ndim != 2 or not 1 <= teacher_width <= weights.shape[1]:
        raise InputError(f"roles need weights (n, d) and 1 <= teacher_width <= d, got {weights.shape} and {teacher_width}")
    norm = np.maximum(np.linalg.norm(weights, axis=1, keepdims=True), np.finfo(float).tiny)
    cosine = weights[:, :teacher_width] / norm
    partner = np.abs(cosine).argmax(axis=1)
    best = cosine[np.arange(len(weights)), partner]
    return np.where(best >= 0.5, ALIGNED, np.where(best <= -0.5, ANTI_ALIGNED, SHARED)), partner


def describe(weights: npt.ArrayLike, teacher_width: int) -> str:
    """The type of a point in words: ``"9 aligned, 1 anti-aligned"``; ``(2 on one unit)`` where neurons share a partner.

    Parameters
    ----------
    weights : (n, d) array
        Weights of the neurons.
    teacher_width : int in 1 … d
        k, units of the teacher, along the first k axes.

    Returns
    -------
    str
        How many neurons have each role.

    Raises
    ------
    InputError
        If the weights are no matrix, or the teacher has more units than they have columns.

    Examples
    --------
    >>> describe([[1.0, 0.0], [0.9, 0.1], [0.1, -1.0]], teacher_width=2)
    '2 aligned (2 on one unit), 1 anti-aligned'
    """
    role, partner = roles(weights, teacher_width)
    parts = []
    for code, name in ((ALIGNED, "aligned"), (ANTI_ALIGNED, "anti-aligned"), (SHARED, "shared")):
        members = partner[role == code]
        if members.size:
            crowd = np.bincount(members).max()
            parts.append(f"{members.size} {name}" + (f" ({crowd} on one unit)" if crowd > 1 and code != SHARED else ""))
    return ", ".join(parts)


@renamed(found="students")
def levels(students: Landscape, *, spectrum: bool = True) -> list[Level]:
    """Loss levels of the converged spurious runs, lowest first.

    Parameters
    ----------
    students : Landscape
        Trained students.
    spectrum : bool, default True
        Compute the Hessian's spectrum of each level.

    Returns
    -------
    list of Level
        Empty if no run ended in a spurious minimum.

    References
    ----------
    Safran & Shamir 2018 (arXiv 1712.08968).

    Examples
    --------
    >>> from toy.relu_landscape.model import initial_weights, simulate
    >>> start = initial_weights(6, 6, 1, 0, first_replica=72)  # one of the few that end in a spurious minimum of six units
    >>> [(round(level.loss, 4), level.kind) for level in levels(simulate(6, 6, start=start), spectrum=False)]
    [(0.0251, '5 aligned, 1 anti-aligned')]
    """
    runs = students.minima
    runs = runs[np.argsort(students.loss[runs], kind="stable")]
    if runs.size == 0:
        return []
    target = np.eye(students.teacher_width, students.dim)
    groups = np.split(runs, np.flatnonzero(np.diff(students.loss[runs]) > RESOLUTION) + 1)
    result = []
    for group in groups:
        member = int(group.min())
        weights = students.weights[member]
        role, partner = roles(weights, students.teacher_width)
        aligned, anti_aligned, shared = (int(np.sum(role == code)) for code in (ALIGNED, ANTI_ALIGNED, SHARED))
        values = np.linalg.eigvalsh(hessian(weights, target)) if spectrum else None
        result.append(Level(
            float(np.mean(students.loss[group])), int(group.size), member, describe(weights, students.teacher_width),
            aligned, anti_aligned, shared,
            tuple((int(i), int(partner[i])) for i in np.flatnonzero(role == ANTI_ALIGNED)),
            np.atleast_1d(negative_directions(own_curvature(weights, target))),
            None if values is None else int(np.sum(values < -1e-8 * np.abs(values).max())), values))
    return result


def multiplicities(spectrum, resolution: float = 1e-6) -> list[dict]:
    """The spectrum as distinct eigenvalues, ascending, with their multiplicities (symmetry makes most of them coincide)."""
    spectrum = np.sort(floats(spectrum, "spectrum"))
    groups = np.split(spectrum, np.flatnonzero(np.diff(spectrum) > resolution * max(1.0, np.abs(spectrum).max())) + 1)
    return [{"value": float(group.mean()), "multiplicity": int(group.size)} for group in groups]


@renamed(found="students")
def escape_indices(students: Landscape) -> np.ndarray:
    """Largest number of negative directions that one added neuron opens at each converged spurious run.

    The added neuron is a copy that shares some neuron's length; the point stays critical, and a minimum for which the
    number is positive has become a saddle (``theory.landscape``).

    Parameters
    ----------
    students : Landscape
        Trained students.

    Returns
    -------
    (minima,) int array
        In the order of ``students.minima``.

    References
    ----------
    Derived in :mod:`theory.landscape`.

    Examples
    --------
    >>> from toy.relu_landscape.model import initial_weights, simulate
    >>> start = initial_weights(6, 6, 1, 0, first_replica=72)  # one of the few that end in a spurious minimum of six units
    >>> escape_indices(simulate(6, 6, start=start)).tolist()
    [5]
    """
    target = np.eye(students.teacher_width, students.dim)
    return np.array([np.max(negative_directions(own_curvature(students.weights[r], target))) for r in students.minima],
                    dtype=np.int64)
