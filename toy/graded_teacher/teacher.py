"""The graded teacher, with the exact loss and gradient of any students, and the exact second moments of all features.

Everything follows from the closed form I2 of :mod:`theory.gaussian`; nothing is sampled and nothing trained.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from lab import checks, flow
from lab.arrays import floats
from lab.errors import ArgumentError, InputError
from theory.gaussian import erf_i2
from theory.moments import Moments
from theory.span.closed_form import check_norm, in_units
from toy.graded_teacher import kernels


@dataclass(frozen=True)
class Teacher:
    """The graded teacher.

    Attributes
    ----------
    strengths : (M,) floats, none zero
        Strengths A_m of the units.
    direction_norm : float in 1e-3 … 1e3, default 1
        Norm b of every direction B_m = b e_m.
    dim : int ≥ M, default 10
        Input dimension d.
    unit : float > 0
        Largest strength λ = max |A_m|.

    Examples
    --------
    >>> teacher = Teacher([1.0, -2.0], dim=3)
    >>> teacher.units, teacher.unit, teacher.directions.shape
    (2, 2.0, (2, 3))
    """

    strengths: Sequence[float]  # kept as a tuple
    direction_norm: float = 1.0
    dim: int = 10
    unit: float = field(init=False, repr=False, compare=False)

    def __post_init__(self):
        object.__setattr__(self, "strengths", tuple(checks.real_numbers("strengths", self.strengths).tolist()))
        object.__setattr__(self, "unit", in_units(self.strengths)[1])
        check_norm(self.direction_norm)
        if checks.whole_number("dim", self.dim) < len(self.strengths):
            raise ArgumentError(f"{len(self.strengths)} orthogonal directions need dim >= {len(self.strengths)}, "
                                f"got {self.dim}", "dim")

    @property
    def units(self) -> int:
        """Number of units M."""
        return len(self.strengths)

    @property
    def directions(self) -> np.ndarray:
        """B, shape (units, dim)."""
        return self.direction_norm * np.eye(self.units, self.dim)


def loss_and_gradient(teacher: Teacher, output: np.ndarray,
                      directions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Population loss and its gradient for any students, in the units of the strengths.

    Parameters
    ----------
    teacher : Teacher
        The teacher with which they are compared.
    output : (replicas, width) array
        Output weights v.
    directions : (replicas, width, dim) array
        Directions W.

    Returns
    -------
    loss : (replicas,) array
        L = ½⟨(f − y)²⟩.
    output_gradient : (replicas, width) array
        ∂L/∂v.
    direction_gradient : (replicas, width, dim) array
        ∂L/∂W.

    Raises
    ------
    InputError
        If the shapes do not fit.

    References
    ----------
    The setting is our own; loss and gradient are closed forms by I2 of :mod:`theory.gaussian`.

    Examples
    --------
    >>> teacher = Teacher([1.0, 0.5], dim=2)
    >>> loss, by_output, _ = loss_and_gradient(teacher, np.zeros((1, 2)), teacher.directions[None])
    >>> loss.round(4).tolist(), by_output.round(4).tolist()  # a silent student: half the teacher's variance
    ([0.2083], [[-0.3333, -0.1667]])
    """
    output, directions = floats(output, "output"), floats(directions, "directions")
    replicas, width = output.shape
    dim = teacher.dim
    if directions.shape != (replicas, width, dim):
        raise InputError(f"directions must be {(replicas, width, dim)}, got {directions.shape}")
    params = kernels.pack(teacher.strengths, teacher.direction_norm, width, dim)
    work = np.zeros((kernels.work_rows(teacher.strengths, width), flow.LANES))
    state = np.concatenate([output, directions.reshape(replicas, -1)], axis=1)
    loss, gradient = np.empty(replicas), np.empty_like(state)
    y, out, value = np.zeros((state.shape[1], flow.LANES)), np.zeros((state.shape[1], flow.LANES)), np.zeros(flow.LANES)
    for first in range(0, replicas, flow.LANES):
        n = min(flow.LANES, replicas - first)
        y[:, :n] = state[first:first + n].T
        kernels.descent(params, work, y, out, value)
        loss[first:first + n] = value[:n]
        gradient[first:first + n] = -out[:, :n].T
    return loss, gradient[:, :width], gradient[:, width:].reshape(replicas, width, dim)


def moments(blocks: Mapping[str, np.ndarray], teacher: Teacher) -> Moments:
    """Exact second moments of hidden units and of the teacher together.

    Parameters
    ----------
    blocks : mapping of str to (units, dim) array
        Directions of hidden units by name; a concatenation of students is their directions stacked (``Students.units``).
    teacher : Teacher
        Gives the blocks "teacher" (its units g(B_m·x)) and "target" (its output y).

    Returns
    -------
    Moments
        Exact, all means zero.

    Raises
    ------
    InputError
        If a block has the name of one of the teacher's, or does not hold finite directions of the teacher's dimension.

    References
    ----------
    I2 of :mod:`theory.gaussian`.

    Examples
    --------
    >>> exact = moments({"narrow": np.array([[1.0, 0.0]])}, Teacher([1.0, 0.5], dim=2))
    >>> exact.names, exact.covariance("narrow", "target").round(4).tolist()
    (('narrow', 'teacher', 'target'), [[0.3333]])
    """
    names = list(blocks)
    if {"teacher", "target"} & set(names):
        raise InputError("the names 'teacher' and 'target' are taken by the teacher's own blocks")
    stacks = [np.atleast_2d(floats(blocks[name], f"block {name!r}")) for name in names]
    for name, stack in zip(names, stacks):
        if stack.ndim != 2 or stack.shape[1] != teacher.dim or not np.all(np.isfinite(stack)):
            raise InputError(f"block {name!r} must hold finite directions of shape (units, {teacher.dim}), "
                             f"got {stack.shape}")
    every = np.concatenate([*stacks, teacher.directions])
    gram = every @ every.T
    index = np.arange(len(every))
    cov = erf_i2(gram, index[:, None], index[None, :])
    mix = np.zeros((len(every) + 1, len(every)))  # all units, then the target
    mix[:-1] = np.eye(len(every))
    mix[-1, -teacher.units:] = teacher.strengths
    full = mix @ cov @ mix.T
    widths = {name: len(stack) for name, stack in zip(names, stacks)} | {"teacher": teacher.units, "target": 1}
    return Moments.exact(widths, np.zeros(len(full)), full)
