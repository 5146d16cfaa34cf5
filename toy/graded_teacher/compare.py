"""The comparison of S0 on the graded teacher: c narrow students side by side against one wide student."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from lab import checks
from lab.docstrings import arguments_as_in
from lab.errors import ArgumentError
from lab.names import renamed
from lab.results import Results
from theory.measures import linear_cka, probe_error, span_error, with_residual
from toy.graded_teacher.model import Students, check, initial_state, simulate
from toy.graded_teacher.teacher import Teacher, moments

CONDITIONS = ("free", "matched loss", "shared start")


@dataclass(frozen=True)
class Comparison(Results, axes="narrow_to_teacher wide_to_teacher untrained_to_teacher: replica ridge unit; narrow_to_wide "
                 "wide_to_narrow wide_to_narrow_units wide_to_wide narrow_probe wide_probe residual_probe random_probe cka: "
                 "replica ridge", rows="replica ridge", picture="narrow_to_teacher wide_to_teacher untrained_to_teacher ~ unit"):
    """Exact measures of each repetition; arrays are (replicas, ridges) or (replicas, ridges, units).

    Attributes
    ----------
    narrow : Students
        All narrow students; repetition r has those of number r c … r c + c − 1.
    wide : Students
        All wide students; repetition r has 2 r and 2 r + 1.
    narrow_to_teacher : (replicas, ridges, units) array in [0, 1]
        Feature span error (FSE) of each teacher unit from the concatenation.
    wide_to_teacher : (replicas, ridges, units) array in [0, 1]
        FSE of each teacher unit from a wide student.
    untrained_to_teacher : (replicas, ridges, units) array in [0, 1]
        FSE of each teacher unit from as many random features as a concatenation has, at the initial scale.
    narrow_to_wide : (replicas, ridges) array in [0, 1]
        FSE of the wide student from the concatenation, pooled over its units.
    wide_to_narrow : (replicas, ridges) array in [0, 1]
        FSE of the concatenation from the wide student, pooled over its units.
    wide_to_narrow_units : (replicas, ridges) array in [0, 1]
        FSE of each narrow unit from the wide student, mean over units.
    wide_to_wide : (replicas, ridges) array in [0, 1]
        FSE of one wide student from another: the seed baseline.
    narrow_probe : (replicas, ridges) array in [0, 1]
        Share of the teacher's output that a linear probe on the concatenation leaves unexplained.
    wide_probe : (replicas, ridges) array in [0, 1]
        The same for the wide student.
    residual_probe : (replicas, ridges) array in [0, 1]
        The same for the narrow features with the residual of the wide features appended.
    random_probe : (replicas, ridges) array in [0, 1]
        The same for the narrow features with equally many untrained features appended.
    cka : (replicas, ridges) array in [0, 1]
        Linear CKA of concatenation and wide student (repeated for every ridge).

    Examples
    --------
    >>> comparison = compare([1.0, 0.5], dim=2, width=1, copies=2, reference_width=2, replicas=1)
    >>> comparison.narrow.replicas, comparison.wide.replicas, comparison.narrow_to_teacher.shape
    (2, 2, (1, 1, 2))
    """

    narrow: Students
    wide: Students
    narrow_to_teacher: np.ndarray
    wide_to_teacher: np.ndarray
    untrained_to_teacher: np.ndarray
    narrow_to_wide: np.ndarray
    wide_to_narrow: np.ndarray
    wide_to_narrow_units: np.ndarray
    wide_to_wide: np.ndarray
    narrow_probe: np.ndarray
    wide_probe: np.ndarray
    residual_probe: np.ndarray
    random_probe: np.ndarray
    cka: np.ndarray


def measure(teacher: Teacher, narrow: np.ndarray, wide: np.ndarray, other_wide: np.ndarray, untrained: np.ndarray,
            ridges: Sequence[float]) -> dict[str, np.ndarray]:
    """All measures of one repetition.

    Parameters
    ----------
    teacher : Teacher
        The teacher that all students were trained on.
    narrow : (units, dim) array
        Directions of the concatenated narrow students.
    wide : (units, dim) array
        Directions of a wide student.
    other_wide : (units, dim) array
        Directions of another wide student, for the seed baseline.
    untrained : (units, dim) array
        Directions of random features.
    ridges : (R,) floats ≥ 0
        Relative ridges of the span errors.

    Returns
    -------
    dict of str to array
        The measures of :class:`Comparison` by name, each of shape (ridges,) or (ridges, units).

    References
    ----------
    Span error, probe and CKA: :mod:`theory.measures`.

    Examples
    --------
    >>> axes = np.eye(2)
    >>> measures = measure(Teacher([1.0, 0.5], dim=2), axes[:1], axes, axes, axes[1:], [1e-6])
    >>> measures["narrow_to_teacher"].round(3).tolist(), measures["narrow_probe"].round(3).tolist()
    ([[0.0, 1.0]], [0.2])
    """
    m = moments({"narrow": narrow, "wide": wide, "other": other_wide, "untrained": untrained}, teacher)
    ridges = list(ridges)

    def fse(source, target, **options):
        return span_error(m, source=source, target=target, ridge=ridges, **options)

    return {
        "narrow_to_teacher": fse("narrow", "teacher", per_unit=True),
        "wide_to_teacher": fse("wide", "teacher", per_unit=True),
        "untrained_to_teacher": fse("untrained", "teacher", per_unit=True),
        "narrow_to_wide": fse("narrow", "wide"),
        "wide_to_narrow": fse("wide", "narrow"),
        "wide_to_narrow_units": fse("wide", "narrow", per_unit=True).mean(axis=-1),
        "wide_to_wide": fse("other", "wide"),
        "narrow_probe": probe_error(m, features="narrow", target="target", ridge=ridges),
        "wide_probe": probe_error(m, features="wide", target="target", ridge=ridges),
        "residual_probe": np.array([probe_error(with_residual(m, source="narrow", target="wide", ridge=r), ridge=r,
                                                features=["narrow", "residual"], target="target") for r in ridges]),
        "random_probe": probe_error(m, features=["narrow", "untrained"], target="target", ridge=ridges),
        "cka": np.full(len(ridges), linear_cka(m, "narrow", "wide")),
    }


@lru_cache(maxsize=4)
def _wide(teacher, width, replicas, seed, init_scale, gradient_tol, time_cap, threads) -> Students:
    """The wide students, two per repetition; all widths and numbers of copies are compared with the same wide students."""
    return simulate(teacher.strengths, teacher.direction_norm, teacher.dim, width, gradient_tol=gradient_tol,
                    time_cap=time_cap, start=_wide_start(teacher, width, replicas, seed, init_scale), threads=threads)


def _wide_start(teacher, width, replicas, seed, init_scale) -> np.ndarray:
    """Starts of the wide students, two per repetition."""
    return initial_state(teacher.dim, width, 2 * replicas, seed, init_scale, role=("wide",), unit=teacher.unit)


def check_comparison(teacher: Teacher, width, copies, reference_width, replicas, seed=0, init_scale=0.1, gradient_tol=1e-8,
                     time_cap=1e6, *, condition="free", above_floor=1.0, ridges=(1e-6,)) -> None:
    """Refuse arguments that :func:`compare` cannot take."""
    for name, value in (("width", width), ("copies", copies), ("reference_width", reference_width), ("replicas", replicas)):
        checks.whole_number(name, value)
    check(teacher, width, copies * replicas, seed, init_scale, gradient_tol, time_cap)
    check(teacher, reference_width, 2 * replicas)
    units = width * copies + 2 * reference_width
    checks.fits_memory(units=units, columns=units)
    checks.choice("condition", condition, CONDITIONS)
    checks.real_number("above_floor", above_floor, least=1)  # narrow students reach no loss below their floor
    checks.real_numbers("ridges", ridges, least=0)
    if condition == "shared start" and copies * width != reference_width:
        raise ArgumentError(f"{copies} slices of width {width} do not make a student of width {reference_width}",
                            "reference_width")


@renamed(seconds="time_limit")
@arguments_as_in(simulate)
def compare(strengths: Sequence[float], direction_norm: float = 1.0, dim: int = 10, width: int = 2, copies: int = 8,
            reference_width: int = 16, replicas: int = 8, seed: int = 0, init_scale: float = 0.1,
            gradient_tol: float = 1e-8, time_cap: float = 1e6, *, condition: str = "free",
            above_floor: float = 1.0, ridges: Sequence[float] = (1e-6,), threads: int | None = None,
            time_limit: float | None = None, progress: Callable[[int], None] | None = None) -> Comparison:
    """Train narrow and wide students of one teacher, and compare their features.

    Parameters
    ----------
    copies : int ≥ 1, default 8
        Narrow students in a concatenation.
    reference_width : int ≥ 1, default 16
        Hidden units of the wide students.
    replicas : int ≥ 1, default 8
        Repetitions of the whole comparison.
    condition : {"free", "matched loss", "shared start"}, default "free"
        "matched loss": wide students stop where they reach the mean final loss of the narrow ones; "shared start": narrow
        students start as slices of the wide one (copies × width = reference_width).
    above_floor : float ≥ 1, default 1
        For "matched loss": narrow and wide students both stop at this multiple of that mean final loss. Above 1, the narrow
        students stop before they have converged.
    ridges : (R,) floats ≥ 0, default (1e-6,)
        Relative ridges of the span errors.
    time_limit : float > 0, optional
        Seconds, counted separately for narrow and wide students, after which unfinished students are stopped (status "stopped")
        and compared as they are.

    Returns
    -------
    Comparison
        All students, and the measures of each repetition.

    Raises
    ------
    InputError
        An unknown condition, slices that do not fit, or a loss that narrow students cannot reach.

    References
    ----------
    The setting is our own; the measures are those of :mod:`theory.measures`.

    Examples
    --------
    >>> comparison = compare([1.0, 0.5], dim=2, width=1, copies=2, reference_width=2, replicas=1)
    >>> comparison.narrow_to_wide.round(3).tolist()  # about half of the wide students' variance is missing
    [[0.512]]
    """
    teacher = Teacher(strengths, direction_norm, dim)
    check_comparison(teacher, width, copies, reference_width, replicas, seed, init_scale, gradient_tol, time_cap,
                     condition=condition, above_floor=above_floor, ridges=ridges)
    shared = dict(gradient_tol=gradient_tol, time_cap=time_cap, threads=threads, time_limit=time_limit, progress=progress)
    if condition == "shared start":
        whole = _wide_start(teacher, reference_width, replicas, seed, init_scale)[::2]
        start = np.concatenate([whole[:, :reference_width].reshape(replicas * copies, width),
                                whole[:, reference_width:].reshape(replicas * copies, width * dim)], axis=1)
    else:
        # a larger number of copies contains the smaller ones: differences between numbers of copies are paired
        start = np.concatenate([initial_state(dim, width, copies, seed, init_scale, role=("narrow", r), unit=teacher.unit)
                                for r in range(replicas)])
    narrow = simulate(teacher.strengths, direction_norm, dim, width, start=start, **shared)
    if condition == "matched loss" or time_limit is not None or progress is not None:
        target: float | np.ndarray = -np.inf
        if condition == "matched loss":
            level = above_floor * narrow.loss.reshape(replicas, copies).mean(axis=1)
            target = np.repeat(level, 2)
            if above_floor > 1:
                narrow = simulate(teacher.strengths, direction_norm, dim, width, start=start,
                                  target_loss=np.repeat(level, copies), **shared)
        wide = simulate(teacher.strengths, direction_norm, dim, reference_width, target_loss=target,
                        start=_wide_start(teacher, reference_width, replicas, seed, init_scale), **shared)
    else:
        wide = _wide(teacher, reference_width, replicas, seed, init_scale, gradient_tol, time_cap, threads)
    fresh = initial_state(dim, width * copies, replicas, seed, init_scale, role=("untrained",))[:, width * copies:]
    rows = [measure(teacher, narrow.units(slice(r * copies, (r + 1) * copies)), wide.units(2 * r),
                    wide.units(2 * r + 1), fresh[r].reshape(-1, dim), ridges) for r in range(replicas)]
    return Comparison(narrow, wide, **{name: np.stack([row[name] for row in rows]) for name in rows[0]})


def loss_levels(students: Students, tolerance: float = 1e-5) -> list[dict]:
    """Distinct final losses of converged students, with the number of students at each.

    Parameters
    ----------
    students : Students
        Trained students.
    tolerance : float > 0, default 1e-5
        Losses closer than this times ½ Σ A² count as equal.

    Returns
    -------
    list of dict
        ``loss`` and number of ``students``, by increasing loss.

    Examples
    --------
    >>> levels = loss_levels(simulate([1.0, 0.5], dim=2, width=1, replicas=2))
    >>> [(round(level["loss"], 4), level["students"]) for level in levels]
    [(0.0052, 2)]
    """
    scale = tolerance * 0.5 * sum(a * a for a in students.teacher.strengths)
    levels: list[dict] = []
    for value in np.sort(students.loss[students.converged]):
        if levels and value - levels[-1]["loss"] <= scale:
            levels[-1]["students"] += 1
        else:
            levels.append({"loss": float(value), "students": 1})
    return levels
