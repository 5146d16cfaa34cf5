"""Students of a graded teacher, trained by population gradient flow; only the initial weights are random.

    teacher  y(x) = Σ_m A_m erf(B_m·x/√2),  orthogonal B_m of norm b,  x ~ N(0, I_d)
    student  f(x) = Σ_i v_i erf(w_i·x/√2),  v_i, w_ij ~ N(0, σ_init²) at the start, both layers trained

Loss, gradient and the second moments of all features are closed forms (``toy.graded_teacher.kernels``; I2 of
``theory.gaussian``), so that span errors and probes are exact functions of the state in which the flow ends. The setting is our
own (reference section 3); its theory is in ``theory.span``.

The flow is run in units of the largest strength λ = max |A_m|, with outputs v/λ and loss L/λ². So λ changes nothing but these
scales, which is not true of the plain flow (derived in ``theory.span.closed_form``). At λ = 1 the two are the same.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from lab import checks, flow
from lab.arrays import floats
from lab.errors import ArgumentError, InputError
from lab.names import renamed
from lab.results import Results
from lab.streams import normal
from theory.span import growth_rate
from toy.graded_teacher import kernels
from toy.graded_teacher.teacher import Teacher
from toy.graded_teacher.teacher import loss_and_gradient as loss_and_gradient
from toy.graded_teacher.teacher import moments as moments


@dataclass(frozen=True)
class Students(Results, axes="output: replica unit; directions: replica unit input; loss time gradient status evaluations "
               "converged: replica; times: moment; curves: replica moment", rows="replica", picture="curves ~ times | loss"):
    """Trained students and how they got there.

    Attributes
    ----------
    teacher : Teacher
        The teacher they were trained on.
    output : (replicas, width) array
        Output weights v.
    directions : (replicas, width, dim) array
        Directions W.
    loss : (replicas,) array
        Population loss ½⟨(f − y)²⟩.
    time : (replicas,) array
        Flow time at the end; with ``gradient`` and ``times`` in units of the largest strength.
    gradient : (replicas,) array
        max |∇L| at the end.
    status : (replicas,) int array
        Why each stopped, see ``lab.flow.STATUS``.
    evaluations : (replicas,) int array
        Gradient evaluations.
    times : (T,) array
        The requested times.
    curves : (replicas, T) array
        Loss at these times.

    Examples
    --------
    >>> students = simulate([1.0, 0.5], dim=2, width=2, replicas=3)
    >>> students.width, students.replicas, students.summary()
    (2, 3, '3 converged')
    >>> students.units().shape
    (6, 2)
    """

    teacher: Teacher
    output: np.ndarray
    directions: np.ndarray
    loss: np.ndarray
    time: np.ndarray
    gradient: np.ndarray
    status: np.ndarray
    evaluations: np.ndarray
    times: np.ndarray = field(default_factory=lambda: np.zeros(0))
    curves: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))

    @property
    def width(self) -> int:
        """Hidden units K."""
        return self.output.shape[1]

    @property
    def replicas(self) -> int:
        """Number of students."""
        return self.output.shape[0]

    @property
    def converged(self) -> np.ndarray:
        """(replicas,) whether max |∇L| reached the tolerance."""
        return self.status == flow.CONVERGED

    def summary(self) -> str:
        """How many students stopped for which reason."""
        counts = np.bincount(self.status, minlength=len(flow.STATUS))
        return ", ".join(f"{c} {name}" for name, c in zip(flow.STATUS, counts) if c)

    def units(self, replicas: Sequence[int] | slice | int = slice(None)) -> np.ndarray:
        """Directions of the hidden units of some students side by side: (students × width, dim)."""
        return self.directions[replicas].reshape(-1, self.teacher.dim)


def initial_state(dim: int, width: int, replicas: int, seed: int = 0, init_scale: float = 0.1,
                  first_replica: int = 0, role: tuple = (), unit: float = 1.0) -> np.ndarray:
    """Random starts: all of v and W are independent Gaussians.

    Each student has its own stream, (seed, "graded-teacher", "weights", width, *role, number of the replica): starts of
    different widths are independent, and so are those of different roles in a comparison.

    Parameters
    ----------
    dim : int ≥ 1
        Input dimension d.
    width : int ≥ 1
        Hidden units K of a student.
    replicas : int ≥ 1
        Students.
    seed : int in 0 … 2⁶⁴ − 1, default 0
        Seed of all streams.
    init_scale : float > 0, default 0.1
        Standard deviation of W.
    first_replica : int ≥ 0, default 0
        Number of the first student's stream.
    role : tuple of str and int, default ()
        Part of the stream's address that keeps students of one comparison apart.
    unit : float > 0, default 1
        Standard deviation of v over that of W; the ``unit`` of the :class:`Teacher` for a start that is given to
        :func:`simulate`.

    Returns
    -------
    (replicas, width (1 + dim)) array
        States: v, then W row by row.

    Examples
    --------
    >>> initial_state(dim=2, width=1, replicas=3).shape
    (3, 3)
    """
    start = np.empty((replicas, width * (1 + dim)))
    for r in range(replicas):
        start[r] = normal(seed, "graded-teacher", "weights", width, *role, first_replica + r, shape=start.shape[1])
    start *= init_scale
    start[:, :width] *= unit
    return start


def check(teacher: Teacher, width, replicas=1, seed=0, init_scale=0.1, gradient_tol=1e-8, time_cap=1e6) -> None:
    """Refuse arguments that :func:`simulate` cannot take."""
    checks.whole_number("width", width)
    checks.whole_number("replicas", replicas)
    checks.seed(seed)
    checks.real_number("init_scale", init_scale, above=0)  # from zero weights nothing is learnt
    checks.real_number("gradient_tol", gradient_tol, least=0)
    checks.real_number("time_cap", time_cap, above=0, finite=False)
    checks.fits_memory(replicas=replicas, width=width, numbers_a_unit=1 + teacher.dim)


@renamed(loss_target="target_loss", seconds="time_limit")
def simulate(strengths: Sequence[float], direction_norm: float = 1.0, dim: int = 10, width: int = 2, replicas: int = 8,
             seed: int = 0, init_scale: float = 0.1, gradient_tol: float = 1e-8, time_cap: float = 1e6, *, copies: int = 1,
             times: Sequence[float] = (), start: np.ndarray | None = None, first_replica: int = 0,
             target_loss: float | np.ndarray = -np.inf, rtol: float = 1e-5, atol: float = 1e-7, threads: int | None = None,
             time_limit: float | None = None, progress: Callable[[int], None] | None = None) -> Students:
    """Train students of the graded teacher by gradient flow from a small random start.

    Parameters
    ----------
    strengths : (M,) floats, none zero
        Strengths A_m of the teacher's units (:class:`Teacher`).
    direction_norm : float in 1e-3 … 1e3, default 1
        Norm of every direction B_m of the teacher.
    dim : int ≥ M, default 10
        Input dimension d.
    width : int ≥ 1, default 2
        Hidden units K of a student.
    replicas : int ≥ 1, default 8
        Repetitions.
    seed : int in 0 … 2⁶⁴ − 1, default 0
        Student s draws its start from stream number first_replica + s (:func:`initial_state`).
    init_scale : float > 0, default 0.1
        Standard deviation of all initial weights. It, ``gradient_tol`` and all times are in units of the largest strength λ: v
        starts with standard deviation λ init_scale.
    gradient_tol : float ≥ 0, default 1e-8
        A student has converged at max |∇L| ≤ gradient_tol.
    time_cap : float > 0, default 1e6
        Flow time at which a student is abandoned ("time cap").
    copies : int ≥ 1, default 1
        Students per repetition, to be put side by side: replicas × copies are trained, and repetition r has those of number
        r c … r c + c − 1.
    times : (T,) increasing floats ≥ 0, default ()
        Flow times at which the loss is recorded.
    start : (students, width (1 + dim)) array, optional
        States (v, W) to start from in place of random ones, v as in ``Students.output``.
    first_replica : int ≥ 0, default 0
        Number of the first student's stream.
    target_loss : float or (students,) array, default −inf
        Stop where the loss crosses this value ("value reached").
    rtol : float in (0, 1), default 1e-5
        Relative tolerance of a step's local error, see :func:`lab.flow.solve`.
    atol : float > 0, default 1e-7
        Absolute tolerance, likewise.
    threads : int ≥ 1, optional
        Results do not depend on it (default: ``NUMBA_NUM_THREADS``).
    time_limit : float > 0, optional
        Seconds after which students that still run are stopped ("stopped").
    progress : callable, optional
        Called with the number of students that just ended.

    Returns
    -------
    Students
        Where the flow of each ended, and its loss at the requested times.

    Raises
    ------
    InputError
        Parameters that describe no teacher or no student.

    References
    ----------
    The setting is our own; loss and gradient are closed forms by I2 of :mod:`theory.gaussian`.

    Examples
    --------
    >>> students = simulate([1.0, 0.5], dim=2, width=2, replicas=2)  # as many units as the teacher: they learn all of it
    >>> students.converged.tolist(), students.loss.max() < 1e-10
    ([True, True], np.True_)
    """
    teacher = Teacher(strengths, direction_norm, dim)
    students = checks.whole_number("replicas", replicas) * checks.whole_number("copies", copies)
    check(teacher, width, students, seed, init_scale, gradient_tol, time_cap)
    checks.whole_number("first_replica", first_replica, 0)
    checks.real_number("rtol", rtol, above=0, below=1)
    checks.real_number("atol", atol, above=0)
    checks.limits(threads=threads, time_limit=time_limit)
    saved = checks.real_numbers("times", times, least=0, increasing=True) if np.size(times) else ()
    if start is None:
        slope = init_scale * growth_rate(teacher.strengths, direction_norm)
        if slope <= gradient_tol:
            raise ArgumentError(f"from weights of {init_scale:g} the gradient starts at about {slope:.1g}, below gradient_tol: "
                                "nothing would be trained; lower gradient_tol or raise init_scale", "gradient_tol",
                                "init_scale")
        start = initial_state(dim, width, students, seed, init_scale, first_replica)
    else:
        start = floats(start, "start").copy()
        start[..., :width] /= teacher.unit
    if start.ndim != 2 or start.shape[1] != width * (1 + dim):
        raise InputError(f"start must be (students, {width * (1 + dim)}), got {start.shape}")
    end = flow.solve(
        kernels.descent, kernels.pack(np.divide(teacher.strengths, teacher.unit), direction_norm, width, dim), start,
        work_rows=kernels.work_rows(teacher.strengths, width), times=saved, gradient_tol=gradient_tol, time_cap=time_cap,
        target_loss=np.divide(target_loss, teacher.unit**2), rtol=rtol, atol=atol, threads=threads,
        time_limit=time_limit, progress=progress,
    )
    return Students(teacher, end.state[:, :width] * teacher.unit, end.state[:, width:].reshape(-1, width, dim).copy(),
                    end.value * teacher.unit**2, end.time, end.gradient, end.status, end.evaluations, end.times,
                    end.values * teacher.unit**2)
