"""The symmetric spurious minima of the ReLU landscape at n = k, for any k, and their fate when one neuron is added.

Most spurious minima that training reaches at n = k have k − 1 neurons aligned with a teacher unit each, and one that is
anti-aligned with the last. Their symmetry (simultaneous permutations of the first k − 1 units of students and teacher) leaves
five numbers:

    W = [ p I + q (1 1ᵀ − I)   r 1 ]        p alignment, q mixing of the aligned neurons, r their overlap with the last unit,
        [       s 1ᵀ            t  ]        s, t the anti-aligned neuron (t < 0).

A point that is critical among points of this symmetry is critical among all points (Palais 1979), so Newton's method on five
equations finds it for any k. Gradient and Hessian in the five numbers are those of :mod:`theory.landscape`, projected on the
basis of the symmetry.

Sources: Safran & Shamir 2018 (arXiv 1712.08968) for the minima, Arjevani & Field 2020, 2021 (arXiv 2008.01805, 2107.10370)
for their symmetry and spectra; the equations in this form: derived here.
"""


from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lab import checks
from lab.errors import InputError
from lab.estimate import exact
from theory.claims import Evidence
from theory.landscape.closed_form import gradient, hessian, own_curvature
from theory.landscape.escape import negative_directions

LEAST, MOST = 6, 64  # with fewer than six units the family has no minimum; a Hessian has k⁴ entries
CRITICAL = 1e-12  # largest gradient entry at a critical point
_AT_EIGHT = np.array([1.0014, -0.0259, 0.2281, 0.1598, -0.6583])  # start of Newton's method at k = 8; any point nearby will do


def family(k: int) -> np.ndarray:
    """(5, k, k) basis of the weights of this symmetry, in the order p, q, r, s, t."""
    basis = np.zeros((5, k, k))
    basis[0, :-1, :-1] = np.eye(k - 1)
    basis[1, :-1, :-1] = 1 - np.eye(k - 1)
    basis[2, :-1, -1] = basis[3, -1, :-1] = basis[4, -1, -1] = 1
    return basis


def symmetric_minimum(k: int) -> np.ndarray:
    """Weights of the minimum with one anti-aligned neuron, the last, for a teacher of k orthonormal units.

    Source: Arjevani & Field 2020, 2021; the equations in this form: derived here (module docstring).

    Parameters
    ----------
    k : int
        Units of teacher and student, in 6 ... 64.

    Returns
    -------
    ndarray, shape (k, k)
        One row per neuron.

    Raises
    ------
    InputError
        If ``k`` is out of range, or Newton's method finds no minimum of the family.

    Examples
    --------
    >>> symmetric_minimum(6)[-2:].round(3)
    array([[-0.05 , -0.05 , -0.05 , -0.05 ,  0.987,  0.308],
           [ 0.225,  0.225,  0.225,  0.225,  0.225, -0.602]])
    """
    checks.whole_number("k", k, LEAST, MOST)
    guess = _AT_EIGHT
    for size in (*range(8, k, 2), k) if k > 8 else (8, k):  # each starts from the solution of the one before
        guess = _newton(size, guess)
    weights = np.tensordot(guess, family(k), 1)
    if np.abs(gradient(weights, np.eye(k))).max() > CRITICAL or not weights[-1, -1] < 0:
        raise InputError(f"no minimum with one anti-aligned neuron was found at k = {k}")
    return weights


def _newton(k: int, numbers: np.ndarray) -> np.ndarray:
    basis, target = family(k), np.eye(k)
    flat = basis.reshape(5, -1)
    for _ in range(50):
        weights = np.tensordot(numbers, basis, 1)
        slope = flat @ gradient(weights, target).ravel()
        step = np.linalg.solve(flat @ hessian(weights, target) @ flat.T, slope)
        numbers = numbers - step * min(1.0, 0.3 / np.abs(step).max())  # cap the step where Newton's method is unreliable
        if np.abs(step).max() < 1e-14:
            break
    return numbers


def spectrum(weights: npt.ArrayLike, resolution: float = 1e-8) -> list[tuple[float, int]]:
    """Distinct eigenvalues of the Hessian, ascending, with their multiplicities, which symmetry makes large.

    Source: Arjevani & Field 2020.

    Parameters
    ----------
    weights : array_like, shape (n, k)
        Students of a teacher of the k axes.
    resolution : float, default 1e-8
        Eigenvalues closer than this times the largest count as equal.

    Returns
    -------
    list of (float, int)
        Eigenvalue and multiplicity.

    Examples
    --------
    >>> [multiplicity for _, multiplicity in spectrum(symmetric_minimum(6))]
    [4, 6, 1, 4, 1, 4, 4, 5, 1, 1, 4, 1]
    """
    values = np.linalg.eigvalsh(hessian(weights, np.eye(np.shape(weights)[1])))
    groups = np.split(values, np.flatnonzero(np.diff(values) > resolution * np.abs(values).max()) + 1)
    return [(float(group.mean()), int(group.size)) for group in groups]


def opened(weights) -> int:
    """Largest number of negative directions that splitting one neuron of a critical point adds (at most k − 1)."""
    return int(np.max(negative_directions(own_curvature(weights, np.eye(np.shape(weights)[1])))))


def spectral_distances(k: int) -> tuple[float, float]:
    """Root mean square and largest difference of the sorted Hessian eigenvalues at the symmetric minimum and at the teacher."""
    target = np.eye(k)
    apart = np.linalg.eigvalsh(hessian(symmetric_minimum(k), target)) - np.linalg.eigvalsh(hessian(target, target))
    return float(np.sqrt(np.mean(apart**2))), float(np.abs(apart).max())


def evidence(sizes: Sequence[int] = (8, 12, 16, 20), halves: Sequence[int] = (8, 16)) -> list[Evidence]:
    """Theory's evidence for ``s2.spurious-minima-become-saddles`` and ``s2.spurious-spectra-agree``.

    Source: :func:`symmetric_minimum`, :func:`opened` and :func:`spectral_distances`.

    Parameters
    ----------
    sizes : sequence of int, default (8, 12, 16, 20)
        Values of k for the first claim, each in 6 ... 64; its statistic is 1 if splitting makes the minimum a saddle, else 0.
    halves : sequence of int, default (8, 16)
        Values of k for the second claim, each in 6 ... 32; its statistic is log2 of the factor by which the distance between
        spectra falls from k to 2k.

    Returns
    -------
    list of theory.claims.Evidence
        One for each size, then one for each half.

    Examples
    --------
    >>> [(row.claim, row.estimate.mean) for row in evidence([6], [])]
    [('s2.spurious-minima-become-saddles', 1.0)]
    """
    rows = []
    for k in sizes:
        weights = symmetric_minimum(k)
        lowest, directions = spectrum(weights)[0][0], opened(weights)
        rows.append(Evidence("s2.spurious-minima-become-saddles", "theory", f"k = n = {k}, one anti-aligned neuron",
                             exact(float(lowest > 0 and directions > 0)), piece=f"k{k}", study="landscape",
                             note=f"least curvature {lowest:.4f}; {directions} directions opened", levels={"teacher": str(k)}))
    for k in halves:
        (near, _), (far, single) = spectral_distances(k), spectral_distances(2 * k)
        rows.append(Evidence("s2.spurious-spectra-agree", "theory", f"k = n, from {k} to {2 * k}, one anti-aligned neuron",
                             exact(float(np.log2(far / near))), piece=f"k{k}-{2 * k}", study="landscape",
                             note=f"at {2 * k}: {far:.4f} on average, {single:.4f} for one eigenvalue"))
    return rows
