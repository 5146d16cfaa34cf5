"""Study: where narrow students stop agreeing. Strengths m^−γ over exponent γ, width K of M, norm and initial scale.

For each cell many students are trained and told apart by their final loss; theory adds where its competing solutions
cease to be minima (``theory.span.uniqueness_boundary``): above ``theory_last`` there should be one solution for every
start, below it there may be several, by the start.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from lab.estimate import share_interval
from lab.study import Study
from theory.measures import span_error
from theory.span import power_strengths, solution, uniqueness_boundary
from toy.graded_teacher.compare import loss_levels
from toy.graded_teacher.model import Teacher, moments, simulate


@dataclass(frozen=True)
class Phase:
    """One cell of the phase diagram."""

    exponent: float
    width: int
    units: int = 8
    direction_norm: float = 1.0
    init_scale: float = 0.1
    dim: int = 10
    replicas: int = 64
    copies: int = 16
    time_cap: float = 1e6
    seed: int = 0


@cache
def _boundary(units: int, norm: float, width: int) -> dict:
    return uniqueness_boundary(units, norm, width, resolution=5e-3)


def run(config: Phase, folder: Path) -> dict:
    """Solutions met, and what a concatenation gains over one student."""
    A = power_strengths(config.units, config.exponent)
    teacher = Teacher(A, config.direction_norm, config.dim)
    students = simulate(A, config.direction_norm, config.dim, config.width, config.replicas, config.seed,
                        config.init_scale, time_cap=config.time_cap)
    levels = loss_levels(students)
    best = solution(A, config.direction_norm, config.width)

    def error(some):
        return span_error(moments({"s": students.units(some)}, teacher), source="s", target="teacher")

    groups = range(0, config.replicas - config.copies + 1, config.copies)
    ends = _boundary(config.units, config.direction_norm, config.width)
    near = 1e-4 * best.loss + 1e-12
    return {
        "converged": int(students.converged.sum()),
        "levels": len(levels),
        "commonest": max((level["students"] for level in levels), default=0),
        "in_best": int(np.sum(students.converged & (np.abs(students.loss - best.loss) <= near))),
        "below_best": int(np.sum(students.loss < best.loss - near)),
        "one": float(np.mean([error([r]) for r in range(config.replicas)])),
        "many": float(np.mean([error(list(range(g, g + config.copies))) for g in groups])),
        "theory": {"loss": best.loss, "nearest": ends["nearest"], "last": ends["last"], "form": ends["form"]},
    }


def tabulate(finished) -> pd.DataFrame:
    """A row a cell."""
    rows = []
    for c, result in finished:
        share = share_interval(result["in_best"], c.replicas)
        rows.append({
            "exponent": c.exponent, "width": c.width, "units": c.units, "direction_norm": c.direction_norm,
            "init_scale": c.init_scale, "replicas": c.replicas, "converged": result["converged"],
            "levels": result["levels"], "in_best": share.mean, "in_best_low": share.low, "in_best_high": share.high,
            "below_best": result["below_best"], "commonest": result["commonest"] / c.replicas,
            "span_error_one": result["one"], "span_error_many": result["many"], "copies": c.copies,
            "gain": 1 - result["many"] / result["one"], "theory_nearest": result["theory"]["nearest"],
            "theory_last": result["theory"]["last"], "theory_form": result["theory"]["form"],
        })
    return pd.DataFrame(rows)


def configs(scale: str) -> list[Phase]:
    """Empty for ``run``: its table is kept."""
    if scale == "quick":
        return [Phase(g, K, units=4, replicas=16, copies=8) for K in (2, 3) for g in (0.0, 0.3, 0.6)]
    if scale == "run":
        return []
    return [Phase(round(float(g), 3), K, direction_norm=b, init_scale=s)
            for b in (1.0, 3.0) for s in (0.01, 0.1, 0.5, 1.5) for K in range(1, 8) for g in np.arange(0, 1.41, 0.1)]


PHASE = Study("graded_phase", "graded teacher: where narrow students stop agreeing", "toy.graded_teacher.study_phase:run",
              configs, tabulate)
