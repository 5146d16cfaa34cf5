"""Study: where narrow students stop agreeing. Strengths m^−γ over exponent γ, width K of M, norm and initial scale.

Each cell trains many students and distinguishes their solutions by the span errors of the teacher's units (not by loss: at equal
strengths, different sets of units have the same loss). ``agree`` is the probability that two students have the same solution;
``gain`` is the share of one student's span error that a concatenation removes. Theory predicts where competing solutions cease to
be minima (``theory.span.uniqueness_boundary``): above ``theory_last``, every start should reach the same solution; below it, the
start may decide.

A run covers the cells that share theory's solution (one exponent, width and norm, every initial scale), or theory's boundary for
one width and norm, which all exponents share.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from lab.estimate import share_interval
from lab.stages import Stage
from lab.study import Study
from theory.measures import span_error
from theory.span import power_strengths, uniqueness_boundary
from theory.span.solutions import best_solution
from toy.graded_teacher.compare import loss_levels
from toy.graded_teacher.model import Students, simulate
from toy.graded_teacher.teacher import Teacher, moments


@dataclass(frozen=True)
class Phase:
    """Cells of the phase diagram: one exponent, width and norm, every initial scale."""

    exponent: float
    width: int
    teacher_width: int = 8
    direction_norm: float = 1.0
    init_scales: tuple[float, ...] = (0.01, 0.1, 1.0)
    dim: int = 10
    replicas: int = 48
    copies: int = 16
    time_cap: float = 1e6
    seed: int = 0


@dataclass(frozen=True)
class Boundary:
    """Where uniqueness ends in theory, for one width and norm."""

    boundary_width: int
    teacher_width: int = 8
    direction_norm: float = 1.0


def run_boundary(config: Boundary, folder: Path) -> dict:
    """Theory's boundary, see :func:`theory.span.uniqueness_boundary`."""
    return uniqueness_boundary(config.teacher_width, config.direction_norm, config.boundary_width, resolution=5e-3)


def run_students(config: Phase, folder: Path) -> dict:
    """Solutions that students reach, and the gain of a concatenation over one student; one cell per initial scale."""
    A = power_strengths(config.teacher_width, config.exponent)
    teacher = Teacher(A, config.direction_norm, config.dim)
    best = best_solution(A, config.direction_norm, config.width)
    return {"theory_loss": best.loss, "cells": [
        _cell(config, teacher, simulate(A, config.direction_norm, config.dim, config.width, config.replicas, config.seed,
                                        scale, time_cap=config.time_cap), best.loss) for scale in config.init_scales]}


BOUNDARY = Stage("boundary", "toy.graded_teacher.study_phase:run_boundary", Boundary, schema=3)
STUDENTS = Stage("students", "toy.graded_teacher.study_phase:run_students", Phase, schema=3)


def _cell(config: Phase, teacher: Teacher, students: Students, best: float) -> dict:
    """Solutions of the students of one initial scale; ``best`` is the loss of theory's solution."""

    def error(some: Sequence[int]):
        return span_error(moments({"s": students.units(some)}, teacher), source="s", target="teacher", per_unit=True)

    each = np.stack([error([r]) for r in range(config.replicas)])
    shares = clusters(each[students.converged])
    groups = range(0, config.replicas - config.copies + 1, config.copies)
    near = 1e-4 * best + 1e-12
    return {
        "converged": int(students.converged.sum()),
        "levels": len(loss_levels(students)),
        "solutions": len(shares),
        "agree": float(np.sum(np.square(shares))),
        "in_best": int(np.sum(students.converged & (np.abs(students.loss - best) <= near))),
        "below_best": int(np.sum(students.loss < best - near)),
        "one": float(each.mean()),
        "many": float(np.mean([error(range(g, g + config.copies)) for g in groups])),
    }


def clusters(signatures: np.ndarray, tolerance: float = 0.02) -> list[float]:
    """Share of the students at each solution; span errors per unit that agree within the tolerance are the same solution."""
    solutions: list[list] = []
    for signature in signatures:
        for solution in solutions:
            if np.abs(solution[0] - signature).max() <= tolerance:
                solution[1] += 1
                break
        else:
            solutions.append([signature, 1])
    return [count / len(signatures) for _, count in solutions]


def tabulate(finished) -> pd.DataFrame:
    """One row per cell; theory's columns are empty where the run of the boundary is missing."""
    ends = {(c.boundary_width, c.teacher_width, c.direction_norm): result for c, result in BOUNDARY.results(finished)}
    rows = []
    for c, result in STUDENTS.results(finished):
        boundary = ends.get((c.width, c.teacher_width, c.direction_norm), {})
        for scale, cell in zip(c.init_scales, result["cells"]):
            share = share_interval(cell["in_best"], c.replicas)
            rows.append({
                "exponent": c.exponent, "width": c.width, "teacher_width": c.teacher_width, "direction_norm": c.direction_norm,
                "init_scale": scale, "replicas": c.replicas, "converged": cell["converged"],
                "levels": cell["levels"], "in_best": share.mean, "in_best_low": share.low, "in_best_high": share.high,
                "below_best": cell["below_best"], "solutions": cell["solutions"], "agree": cell["agree"],
                "span_error_one": cell["one"], "span_error_many": cell["many"], "copies": c.copies,
                "gain": 1 - cell["many"] / cell["one"], "theory_nearest": boundary.get("nearest"),
                "theory_last": boundary.get("last"), "theory_forms": " ".join(boundary.get("ends", {})),
            })
    return pd.DataFrame(rows).sort_values(["direction_norm", "init_scale", "width", "exponent"], ignore_index=True)


def configs(scale: str) -> list[Phase | Boundary]:
    """The longest runs, theory's boundaries, first; empty for ``run``, which shows the kept table."""
    if scale == "run":
        return []
    if scale == "quick":
        norms, widths, exponents = [1.0], range(2, 4), [0.0, 0.3, 0.6]
        boundary, phase = partial(Boundary, teacher_width=4), partial(Phase, teacher_width=4, replicas=16, copies=8,
                                                                      init_scales=(0.1,))
    else:
        norms, widths, exponents = [1.0, 3.0], range(2, 8), np.arange(0, 1.41, 0.1).round(3).tolist()
        boundary, phase = partial(Boundary), partial(Phase)
    return [*(boundary(K, direction_norm=b) for b in norms for K in widths),
            *(phase(g, K, direction_norm=b) for b in norms for K in widths for g in exponents)]


PHASE = Study("graded-phase", "graded teacher: where narrow students stop agreeing", (BOUNDARY, STUDENTS), configs, tabulate,
              processes=True)
